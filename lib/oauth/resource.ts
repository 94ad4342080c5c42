/**
 * Comparing resource identifiers (RFC 8707). Ours is published in one spelling; clients send it back in several:
 * other case in scheme and host, the default port, a slash at the end, or only the origin.
 */
import { withoutTrailingSlashes } from "../base/slashes.ts";

/** Scheme, host and path in one spelling, without a slash at the end; `undefined` when it cannot be a resource. */
export function canonicalResource(text: string): string | undefined {
  // RFC 8707 section 2: absolute, no fragment. No user information and no query in ours.
  if (!/^https?:\/\//i.test(text) || text.includes("#") || text.includes("?") || !URL.canParse(text)) {
    return undefined;
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || text.includes("\\") || hasDotSegments(text)) {
    return undefined;
  }
  return url.origin + withoutTrailingSlashes(url.pathname);
}

/** A path that a parser would rewrite is never equal to one that it would not. */
function hasDotSegments(text: string): boolean {
  const path = text.replace(/^[a-z]+:\/\/[^/]*/i, "");
  return path.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
}

/**
 * Whether a client that names `requested` means our `resource`. The origin alone is tolerated, since clients of
 * the 2025 revisions send it; another path or host is not.
 */
export function matchesResource(requested: string, resource: string): boolean {
  const [asked, ours] = [canonicalResource(requested), canonicalResource(resource)];
  if (asked === undefined || ours === undefined) return false;
  return asked === ours || asked === new URL(ours).origin;
}

/**
 * For a client: whether metadata that names `published` may speak for the server at `serverUrl`: the same origin,
 * and its path at or above the server's (RFC 9728 section 3.3).
 */
export function coversServer(published: string, serverUrl: string): boolean {
  if (!URL.canParse(published) || !URL.canParse(serverUrl)) return false;
  const [resource, server] = [new URL(published), new URL(serverUrl)];
  if (resource.origin !== server.origin || resource.hash !== "") return false;
  const path = withoutTrailingSlashes(resource.pathname);
  const at = withoutTrailingSlashes(server.pathname);
  return at === path || at.startsWith(`${path}/`);
}
