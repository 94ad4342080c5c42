/** The protected resource's metadata document (RFC 9728). */
import * as v from "valibot";
import { withoutTrailingSlashes } from "../base/slashes.ts";

const schema = v.object({
  resource: v.pipe(v.string(), v.minLength(1)),
  authorization_servers: v.optional(v.fallback(v.optional(v.array(v.string())), undefined)),
  scopes_supported: v.optional(v.fallback(v.optional(v.array(v.string())), undefined)),
  bearer_methods_supported: v.optional(v.fallback(v.optional(v.array(v.string())), undefined)),
  resource_name: v.optional(v.fallback(v.optional(v.string()), undefined)),
});

/** What this program reads and writes of the document. */
export type ResourceMetadata = v.InferOutput<typeof schema>;

/** The document, or `undefined` when it is not one. */
export function parseResourceMetadata(document: unknown): ResourceMetadata | undefined {
  const result = v.safeParse(schema, document);
  return result.success ? result.output : undefined;
}

const wellKnown = "/.well-known/oauth-protected-resource";

/** The document's path on the resource's origin (RFC 9728 section 3.1), such as `/.well-known/…/mcp`. */
export function resourceMetadataPath(resourcePath: string): string {
  return wellKnown + withoutTrailingSlashes(resourcePath);
}

/** Where the document of a resource may be when no challenge says so: at its path, then at the root. */
export function resourceMetadataUrls(resource: string): URL[] {
  const url = new URL(resource);
  const atPath = new URL(resourceMetadataPath(url.pathname) + url.search, url.origin);
  const atRoot = new URL(wellKnown, url.origin);
  return atPath.href === atRoot.href ? [atRoot] : [atPath, atRoot];
}
