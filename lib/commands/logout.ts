/** `mcp-doorman logout`: takes tokens back at the authorization server and out of the cache. */
import { describeError } from "../base/errors.ts";
import { revokeToken } from "../oauth/client.ts";
import { knownClient } from "../stdio/client_identity.ts";
import { serverOf } from "../stdio/discovery.ts";
import type { Grant } from "../stdio/grant.ts";
import { lockMachine } from "../stdio/machine_lock.ts";
import type { Invocation } from "./command.ts";
import { grantsMeant, type LoginParts, notLoggedIn, openLoginParts } from "./login_parts.ts";

/** Without an upstream, or with `--all`, every login goes. A server that cannot be asked does not keep a token here. */
export async function run(invocation: Invocation): Promise<number> {
  using parts = await openLoginParts(invocation);
  const grants = await grantsMeant(parts, invocation.flags["all"] === true);
  if (grants.length === 0) console.log(notLoggedIn(parts));
  for (const [key, grant] of grants) {
    const { cache } = parts.context;
    using _turn = await lockMachine(
      `${cache.dir}/login-${key.slice(0, 32)}.lock`,
      AbortSignal.timeout(10_000),
    );
    await cache.use((access) => access.deleteGrant(key));
    const problem = await revoke(parts, grant);
    console.log(`Logged out of ${grant.upstream}${problem === undefined ? "" : `, but ${problem}`}.`);
  }
  return 0;
}

/** Revokes what the server would still take; the sentence says why that was not possible. */
async function revoke({ context }: LoginParts, grant: Grant): Promise<string | undefined> {
  try {
    const server = await serverOf(context, grant.issuer);
    if (server.revocation_endpoint === undefined) return `${grant.issuer} has no way to revoke a token`;
    const client = await knownClient(context, server, grant.clientId);
    if (client === undefined) {
      return `the client ${grant.clientId} is not configured any more, so nothing was revoked`;
    }
    if (grant.refreshToken === undefined) {
      await revokeToken(context, { server, client }, grant.accessToken, "access_token");
      return undefined;
    }
    await revokeToken(context, { server, client }, grant.refreshToken, "refresh_token");
    // RFC 7009 section 2.1: the access token goes with it; servers that cannot revoke one by itself say so.
    await revokeToken(context, { server, client }, grant.accessToken, "access_token").catch(() => {});
    return undefined;
  } catch (error) {
    return `the token could not be revoked: ${describeError(error)}`;
  }
}
