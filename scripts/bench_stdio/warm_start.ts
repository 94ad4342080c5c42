/** A program that is logged in, so that its starts find a kept token. */
import { startIdp } from "../../tests/fakes/idp.ts";
import { unusedPort } from "../../tests/fakes/raw_upstream.ts";
import { baseEnv, doormanCommand, startDoorman } from "../../tests/support/process.ts";
import { browserFor } from "../../tests/support/stdio_client.ts";
import type { Target } from "./clients.ts";

/** Logs in once, by the browser; the target finds the token in the cache from then on. */
export async function warmStart(url: string): Promise<Target & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const idp = starting.use(await startIdp());
  const redirect = `http://localhost:${unusedPort()}/auth/callback`;
  await idp.addRedirect(redirect);
  const home = await Deno.makeTempDir();
  starting.defer(() => Deno.remove(home, { recursive: true }));
  const own = {
    OIDC_ISSUER_URL: idp.issuer,
    OIDC_CLIENT_ID: idp.clientId,
    OIDC_CLIENT_SECRET: idp.clientSecret,
    OIDC_REDIRECT_URL: redirect,
  };
  await using first = startDoorman([url], { home, env: { ...own, BROWSER: browserFor("alice") } });
  await first.write('{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}');
  await first.line("stdout", /"id":\s*1\b/);
  const { command, args } = doormanCommand();
  const stack = starting.move();
  return {
    url,
    command: [command, ...args, "--silent", url],
    env: { ...baseEnv(home), ...own, OPEN_BROWSER: "false" },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
