/** From verified claims to a user, whatever shape an IdP gives them. Nothing that is optional may fail a login. */
import { claimAt } from "../oauth/claims.ts";
import { type Identity, IdpError } from "./idp.ts";

/** @throws IdpError, dead, when the claims name no subject. */
export function identityOf(claims: Readonly<Record<string, unknown>>, groupsClaim: string): Identity {
  const subject = typeof claims.sub === "number" ? String(claims.sub) : text(claims.sub);
  if (subject === undefined) throw new IdpError("dead", "subject_missing", "The IdP names no subject");
  const email = text(claims.email);
  const emailVerified = verified(claims.email_verified);
  const name = text(claims.name) ?? text(claims.preferred_username);
  const found = readGroups(claimAt(claims, groupsClaim));
  return {
    subject,
    ...(email === undefined ? {} : { email }),
    ...(emailVerified === undefined ? {} : { emailVerified }),
    ...(name === undefined ? {} : { name }),
    groups: found ?? [],
    ...(found === undefined || isOverage(claims, groupsClaim) ? { groupsMalformed: true } : {}),
    claims,
  };
}

/** One string or a list of strings; nothing at all is an empty list; `undefined` when it is something else. */
function readGroups(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === "string") ? list.filter((item) => item !== "") : undefined;
}

/** Entra leaves the groups out, and says so, when a user has more than fit into a token. */
function isOverage(claims: Readonly<Record<string, unknown>>, groupsClaim: string): boolean {
  const names = claims._claim_names;
  return claims.hasgroups === true || (typeof names === "object" && names !== null && groupsClaim in names);
}

/** Booleans come as words from some IdPs; what is neither does not count as verified. */
function verified(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  return value === true || (typeof value === "string" && value.toLowerCase() === "true");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
