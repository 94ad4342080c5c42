/** `mcp-doorman whoami`: who is logged in where. */
import type { Invocation } from "./command.ts";
import { accountOf, grantsMeant, notLoggedIn, openLoginParts } from "./login_parts.ts";

/** Exits 1 when nobody is. */
export async function run(invocation: Invocation): Promise<number> {
  using parts = await openLoginParts(invocation);
  const grants = await grantsMeant(parts);
  if (grants.length === 0) console.log(notLoggedIn(parts));
  for (const [, grant] of grants) {
    const account = accountOf(grant);
    const subject = grant.subject === undefined || grant.subject === account ? "" : ` (${grant.subject})`;
    console.log(`${account}${subject} at ${grant.issuer}, for ${grant.upstream}`);
  }
  return grants.length === 0 ? 1 : 0;
}
