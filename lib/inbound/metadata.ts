/**
 * The documents that clients find us by, at every place where one looks. What they say comes from the configuration
 * alone: nothing of a request (its Host, X-Forwarded-*) can move an address in them.
 */
import type { Context, Hono } from "hono";
import { bearerChallenge } from "../oauth/challenge.ts";
import type { OAuthError } from "../oauth/errors.ts";
import { resourceMetadataPath } from "../oauth/resource_metadata.ts";
import { formatScope, unionScopes } from "../oauth/scope.ts";
import { publicCors } from "./cors.ts";
import type { FrontConfig } from "./config.ts";

/** What a shape publishes. */
export interface Published {
  /** Issuers, for the resource's metadata. */
  readonly authorizationServers: readonly string[];
  /** The authorization server's document, where we answer for one; may ask somebody else. */
  readonly serverMetadata?: () => unknown | Promise<unknown>;
  /** The same for OpenID Connect discovery, where it can be answered truthfully. */
  readonly openIdConfiguration?: () => unknown | Promise<unknown>;
}

const resourceDocument = "/.well-known/oauth-protected-resource";
const serverDocument = "/.well-known/oauth-authorization-server";
const openIdDocument = "/.well-known/openid-configuration";

/**
 * Mounts the documents: at the root, with our path inserted (RFC 9728 section 3.1, RFC 8414 section 3.1) and with the
 * path in front, as some clients have it. Whatever else is below `/.well-known/` is not there: it is answered here, so
 * that nobody takes a challenge or an upstream's answer for a document.
 */
export function mountMetadata(app: Hono, front: FrontConfig, published: Published): void {
  const resource = () => resourceMetadata(front, published.authorizationServers);
  for (const path of placesOf(front, resourceDocument)) serve(app, path, resource);
  const { serverMetadata, openIdConfiguration } = published;
  if (serverMetadata !== undefined) {
    for (const path of placesOf(front, serverDocument)) serve(app, path, serverMetadata);
  }
  if (openIdConfiguration !== undefined) {
    for (const path of placesOf(front, openIdDocument)) serve(app, path, openIdConfiguration);
  }
  for (const before of new Set(["", ...pathsOf(front)])) {
    app.all(`${before}/.well-known/*`, publicCors(), notFound);
  }
}

/** The protected resource's document (RFC 9728 section 2). */
export function resourceMetadata(front: FrontConfig, authorizationServers: readonly string[]) {
  return {
    resource: front.resource,
    authorization_servers: authorizationServers,
    scopes_supported: front.scopesSupported,
    bearer_methods_supported: ["header"],
    ...(front.resourceName === undefined ? {} : { resource_name: front.resourceName }),
  };
}

/** Where the resource's document is, as challenges say it. */
export function resourceMetadataUrl(front: FrontConfig): string {
  const { origin, pathname } = new URL(front.resource);
  return origin + resourceMetadataPath(pathname);
}

/** The `WWW-Authenticate` value of a shape that asks for bearer tokens (RFC 6750 section 3). */
export function challengeOf(front: FrontConfig, error: OAuthError | undefined): string {
  const scopes = unionScopes(front.scopesSupported, front.allow.requiredScopes);
  return bearerChallenge({
    error: error?.code,
    error_description: error?.description,
    resource_metadata: resourceMetadataUrl(front),
    scope: scopes.length === 0 ? undefined : formatScope(scopes),
  });
}

/** The paths below which somebody may take us to be: the base URL's and the resource's. */
function pathsOf(front: FrontConfig): string[] {
  const paths = [new URL(front.baseUrl).pathname, new URL(front.resource).pathname, front.mountPath]
    .map((path) => path.replace(/\/+$/, ""));
  return [...new Set(paths)].filter((path) => path !== "");
}

function placesOf(front: FrontConfig, document: string): Set<string> {
  const paths = pathsOf(front);
  return new Set([
    document,
    ...paths.map((path) => document + path),
    ...paths.map((path) => path + document),
  ]);
}

function serve(app: Hono, path: string, document: () => unknown | Promise<unknown>): void {
  app.use(path, publicCors());
  app.get(path, async () =>
    Response.json(await document(), {
      headers: { "cache-control": "public, max-age=60, no-transform" },
    }));
  app.all(
    path,
    () =>
      Response.json({ error: "method_not_allowed" }, {
        status: 405,
        headers: { allow: "GET, HEAD, OPTIONS" },
      }),
  );
}

function notFound(_c: Context): Response {
  return Response.json({ error: "not_found" }, { status: 404, headers: { "cache-control": "no-store" } });
}
