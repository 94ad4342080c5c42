import { fileURLToPath } from "node:url";
import { startIdp, type TestIdp } from "../../tests/fakes/idp.ts";
import { unusedPort } from "../../tests/fakes/raw_upstream.ts";
import { startUpstream } from "../../tests/fakes/upstream.ts";
import { baseEnv, doormanCommand, packageEnv } from "../../tests/support/process.ts";

/** A user's machine: a home with a client in it, and mcp-doorman on the PATH; and what the examples' addresses stand for. */
export interface Place extends AsyncDisposable {
  readonly home: string;
  readonly env: Record<string, string>;
  /** The examples' addresses, ids and ports, and what stands in their place. */
  readonly stands: Map<string, string>;
  /** The text with the examples' addresses replaced. */
  here(text: string): string;
}

/** Makes it. The login page is opened by a scripted browser, which logs alice in. */
export async function newPlace(): Promise<Place> {
  const home = await Deno.makeTempDir({ prefix: "doorman-readme-" });
  const { command, args } = doormanCommand();
  await Deno.mkdir(`${home}/bin`);
  await Deno.mkdir(`${home}/.cursor`);
  const words = [command, ...args].map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${home}/bin/mcp-doorman`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  const idp: TestIdp = await startIdp({ audience: "mcp-server" });
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addRedirect(redirect);
  const upstream = startUpstream({ name: "sample-server" });
  const opener = fileURLToPath(new URL("../../tests/support/opener.ts", import.meta.url));
  const base = { ...baseEnv(home), ...packageEnv() };
  const stands = new Map([
    ["https://mcp-upstream.example.com/mcp", upstream.url],
    ["https://idp.example.com", idp.issuer],
    ["claude-desktop-client", idp.clientId],
  ]);
  return {
    home,
    env: {
      ...base,
      PATH: `${home}/bin:${base.PATH}`,
      BROWSER: `${Deno.execPath()} run -A --no-config --no-lock ${opener} alice`,
      OIDC_REDIRECT_URL: redirect,
      OIDC_CLIENT_SECRET: idp.clientSecret,
      API_KEY: "an-api-key-for-the-examples",
      METRICS_ADDR: "127.0.0.1:0",
    },
    stands,
    here: (text) => [...stands].reduce((all, [shown, real]) => all.replaceAll(shown, real), text),
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}
