/** Looking into claims, whose shape is each IdP's own. */
import { fromBase64Url } from "../base/bytes.ts";

/** What a JWT says, believed or not; `undefined` for any other text. */
export function unverifiedClaims(token: string): Record<string, unknown> | undefined {
  const parts = token.split(".");
  const bytes = parts.length === 3 ? fromBase64Url(parts[1] ?? "") : undefined;
  if (bytes === undefined) return undefined;
  try {
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** The claim of that very name, else the one at the path that its dots describe. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}
