/** The authorization server's metadata document (RFC 8414, OpenID Connect Discovery), read with tolerance. */
import * as v from "valibot";
import { withoutTrailingSlashes } from "../base/slashes.ts";

const list = v.optional(v.fallback(v.optional(v.array(v.string())), undefined));
const word = v.optional(v.fallback(v.optional(v.pipe(v.string(), v.minLength(1))), undefined));
const flag = v.optional(v.fallback(v.optional(v.boolean()), undefined));

/** A member of the wrong type counts as absent; only the issuer is indispensable. */
const schema = v.object({
  issuer: v.pipe(v.string(), v.minLength(1)),
  authorization_endpoint: word,
  token_endpoint: word,
  registration_endpoint: word,
  revocation_endpoint: word,
  device_authorization_endpoint: word,
  userinfo_endpoint: word,
  end_session_endpoint: word,
  introspection_endpoint: word,
  jwks_uri: word,
  scopes_supported: list,
  response_types_supported: list,
  grant_types_supported: list,
  code_challenge_methods_supported: list,
  token_endpoint_auth_methods_supported: list,
  token_endpoint_auth_signing_alg_values_supported: list,
  id_token_signing_alg_values_supported: list,
  prompt_values_supported: list,
  client_id_metadata_document_supported: flag,
  authorization_response_iss_parameter_supported: flag,
});

/** What this program reads of the document. */
export type ServerMetadata = v.InferOutput<typeof schema>;

/** The document, or `undefined` when it is not one. */
export function parseServerMetadata(document: unknown): ServerMetadata | undefined {
  const result = v.safeParse(schema, document);
  return result.success ? result.output : undefined;
}

/** Where the metadata of an issuer may be, best first (MCP authorization, "Authorization Server Metadata Discovery"). */
export function serverMetadataUrls(issuer: string): URL[] {
  const url = new URL(issuer);
  const path = withoutTrailingSlashes(url.pathname);
  const at = (pathname: string) => onOrigin(url, pathname);
  if (path === "") {
    return [at("/.well-known/oauth-authorization-server"), at("/.well-known/openid-configuration")];
  }
  return [
    at(`/.well-known/oauth-authorization-server${path}`),
    at(`/.well-known/openid-configuration${path}`),
    at(`${path}/.well-known/openid-configuration`),
  ];
}

/** Where an OpenID provider puts its metadata, which is where an operator's IdP is looked for first. */
export function openIdConfigurationUrl(issuer: string): URL {
  const url = new URL(issuer);
  return onOrigin(url, `${withoutTrailingSlashes(url.pathname)}/.well-known/openid-configuration`);
}

/** Not resolved against the origin: a path that begins with two slashes would lead to another host. */
function onOrigin(url: URL, pathname: string): URL {
  const found = new URL(url.origin);
  found.pathname = pathname;
  return found;
}

/** Equal but for trailing slashes; for an issuer that an operator typed. */
export function sameIssuer(a: string, b: string): boolean {
  return withoutTrailingSlashes(a) === withoutTrailingSlashes(b);
}
