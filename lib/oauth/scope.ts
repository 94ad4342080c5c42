/** Scope lists (RFC 6749 section 3.3): order does not matter, case does. */

/** The distinct scopes of a space-separated list; what is not a scope token is left out. */
export function parseScope(text: string | undefined | null): string[] {
  return distinct((text ?? "").split(/\s+/).filter(isScopeToken));
}

/** As `parseScope`, for answers that separate by commas or send a list. */
export function parseLooseScope(value: unknown): string[] | undefined {
  if (Array.isArray(value)) {
    return distinct(value.filter((item) => typeof item === "string" && isScopeToken(item)));
  }
  return typeof value === "string" ? distinct(value.split(/[\s,]+/).filter(isScopeToken)) : undefined;
}

/** NQCHAR of RFC 6749 appendix A: printable ASCII without space, quote and backslash. */
export function isScopeToken(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/** The list as it goes over the wire. */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(" ");
}

/** Everything that is in any of the lists, each once, in the order of first appearance. */
export function unionScopes(...lists: readonly (readonly string[])[]): string[] {
  return distinct(lists.flat());
}

/** What is needed and not there. */
export function missingScopes(have: readonly string[], need: readonly string[]): string[] {
  return distinct(need).filter((scope) => !have.includes(scope));
}

/** What is in both, in the order of `wanted`. */
export function narrowScopes(wanted: readonly string[], allowed: readonly string[]): string[] {
  return distinct(wanted).filter((scope) => allowed.includes(scope));
}

function distinct(list: readonly string[]): string[] {
  return [...new Set(list)];
}
