/** `mcp-doorman status`: the logins in the token cache. Shows no token. */
import type { Invocation } from "./command.ts";
import { accountOf, grantsMeant, openLoginParts, validityOf } from "./login_parts.ts";

/** Exits 1 when an upstream was named and there is no login for it. */
export async function run(invocation: Invocation): Promise<number> {
  using parts = await openLoginParts(invocation);
  const grants = await grantsMeant(parts);
  const nowMs = parts.context.clock.now();
  if (grants.length === 0) console.log(`No login in ${parts.config.login.cacheDir}.`);
  for (const [, grant] of grants) {
    const lines = [
      ["account", accountOf(grant)],
      ["issuer", grant.issuer],
      ["client", shortened(grant.clientId)],
      ["scopes", (grant.scopesGranted ?? grant.scopesAsked).join(" ") || "(the server's choice)"],
      ["token", validityOf(grant, nowMs)],
      ["logged in", new Date(grant.loggedInAtMs).toISOString()],
      ["profile", grant.profile],
    ];
    console.log(
      [grant.upstream, ...lines.map(([name = "", text]) => `  ${name.padEnd(10)} ${text}`)].join("\n"),
    );
  }
  return grants.length === 0 && parts.upstreamGiven ? 1 : 0;
}

/** A client that a server made up can have a very long name. */
function shortened(text: string): string {
  return text.length <= 72 ? text : `${text.slice(0, 64)}…`;
}
