import type { AllowConfig } from "./config.ts";

/** The part of an identity that allow-lists look at. */
export interface Candidate {
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly groups: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Whether the lists let somebody in: an entry in any list is enough, and without any entry everybody is let in whom
 * the IdP lets in. Subjects and groups are compared exactly, e-mail addresses and domains without case. An address
 * that the IdP calls unverified counts for nothing.
 */
export function isAllowed(who: Candidate, allow: AllowConfig): boolean {
  const { subjects, emails, domains, groups } = allow;
  if (subjects.length + emails.length + domains.length + groups.length === 0) return true;
  if (subjects.includes(who.subject)) return true;
  if (who.groups.some((group) => group !== "" && groups.includes(group))) return true;
  const email = who.emailVerified === false ? undefined : who.email?.toLowerCase();
  if (email === undefined) return false;
  // An address with two @ is read differently by different readers, so it is in no domain.
  const [local, domain, ...more] = email.split("@");
  if (!local || !domain || more.length > 0) return false;
  const belongsTo = domainsOf(domain, who, allow);
  return emails.some((entry) => entry.toLowerCase() === email) ||
    domains.some((entry) => belongsTo.includes(entry.toLowerCase().replace(/^@/, "")));
}

/** The domains whose people this one is among, as far as the IdP stands for it. */
function domainsOf(ofAddress: string, { claims }: Candidate, { domainClaim }: AllowConfig): string[] {
  if (domainClaim === undefined) return [ofAddress];
  const hosted = claims?.[domainClaim];
  if (typeof hosted === "string" && hosted !== "") return [ofAddress, hosted.toLowerCase()];
  // The provider's own addresses have no hosted domain.
  return ["gmail.com", "googlemail.com"].includes(ofAddress) ? [ofAddress] : [];
}

/** What somebody whom no list names could have been named by, for a page; never an entry. */
export function missingFromLists({ subjects, emails, domains, groups }: AllowConfig): string {
  const looked: [list: readonly string[], what: string][] = [
    [subjects, "the account itself"],
    [emails, "its verified e-mail address"],
    [domains, "the domain of its verified e-mail address"],
    [groups, "a group that it is in"],
  ];
  const wanted = looked.filter(([list]) => list.length > 0).map(([, what]) => what).join(", or ");
  return `To enter, ${wanted} must be on this server's list; its operator can put it there.`;
}

/** The scopes that every request needs and this one does not have. */
export function missingRequired(scopes: readonly string[], allow: AllowConfig): string[] {
  return allow.requiredScopes.filter((scope) => !scopes.includes(scope));
}
