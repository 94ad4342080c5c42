/** A deployment whose operator runs commands: the systemd unit with a test IdP, an upstream and a secret. */
import assert from "node:assert/strict";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { startUpstream, type TestUpstream } from "../fakes/upstream.ts";
import { call, type logIn, refresh } from "./oauth_client.ts";
import { runDoorman } from "./process.ts";
import { type Ran, Unit } from "./unit.ts";

export interface Played extends AsyncDisposable {
  readonly idp: TestIdp;
  readonly upstream: TestUpstream;
  readonly unit: Unit;
  readonly mcpUrl: string;
  /** Runs commands; anything but exit code 0 is an error. */
  run(commands: string, options?: { env?: Record<string, string>; stdin?: string }): Promise<string>;
}

/** Not started yet. */
export async function play(env: Record<string, string> = {}): Promise<Played> {
  await using made = new AsyncDisposableStack();
  const idp = made.use(await startIdp());
  const upstream = made.use(startUpstream());
  const unit = made.use(
    new Unit({
      OIDC_ISSUER_URL: idp.issuer,
      OIDC_CLIENT_ID: idp.clientId,
      UPSTREAM_MCP_URL: upstream.url,
      OUTBOUND_AUTH: "none",
      ...env,
    }, { "oidc-client-secret": idp.clientSecret, "token-signing-secret": await newSecret() }),
  );
  await idp.addRedirect(`${unit.publicUrl}/auth/callback`);
  const all = made.move();
  return {
    ...{ idp, upstream, unit, mcpUrl: `${unit.publicUrl}/mcp` },
    async run(commands, options) {
      const ran = await unit.sh(commands, options);
      assert.equal(ran.code, 0, describe(commands, ran));
      return ran.stdout;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function describe(commands: string, { code, stdout, stderr }: Ran): string {
  return `${commands}\nended with ${code}:\n${stdout}\n${stderr}`;
}

/** As `mcp-doorman secret` makes one. */
export async function newSecret(): Promise<string> {
  const { stdout } = await runDoorman(["secret"]);
  return stdout;
}

/** What an MCP request with this token is answered with. */
export async function status(mcpUrl: string, token: string): Promise<number> {
  const answer = await call(mcpUrl, token, {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "scripted", version: "1" },
    },
  });
  await answer.body?.cancel();
  return answer.status;
}

/** New tokens for a login. */
export const refreshed = ({ found, client, tokens }: Awaited<ReturnType<typeof logIn>>) =>
  refresh(found, client, tokens.refresh_token ?? "");

/** Looks again and again, for ten seconds at most. */
export async function until(check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("It did not come about within 10 s");
}

export async function drained(response: Response): Promise<Response> {
  await response.body?.cancel();
  return response;
}
