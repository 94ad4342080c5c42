/**
 * What a client says about itself: the body of a registration (RFC 7591) and the document that a URL used as
 * client_id leads to (OAuth Client ID Metadata Document). Unknown members are passed over; known members of the
 * wrong type are refused, an empty or null one counts as absent.
 */
import * as v from "valibot";
import { OAuthError } from "./errors.ts";

const absent = v.union([v.literal(""), v.null()]);
const optional = <T>(schema: v.GenericSchema<unknown, T>) =>
  v.optional(v.union([v.pipe(absent, v.transform(() => undefined)), schema]));
const text = v.pipe(v.string(), v.maxLength(2_048));
const strings = v.pipe(v.array(v.pipe(v.string(), v.maxLength(512))), v.maxLength(20));

const members = {
  client_name: optional(v.pipe(v.string(), v.maxLength(512))),
  client_uri: optional(text),
  logo_uri: optional(text),
  tos_uri: optional(text),
  policy_uri: optional(text),
  jwks_uri: optional(text),
  jwks: optional(v.looseObject({ keys: v.array(v.unknown()) })),
  contacts: optional(strings),
  grant_types: optional(strings),
  response_types: optional(strings),
  token_endpoint_auth_method: optional(v.pipe(v.string(), v.maxLength(64))),
  scope: optional(text),
  application_type: optional(v.pipe(v.string(), v.maxLength(32))),
  software_id: optional(v.pipe(v.string(), v.maxLength(512))),
  software_version: optional(v.pipe(v.string(), v.maxLength(512))),
};

const redirectUris = v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(20));
const registrationSchema = v.object({ redirect_uris: redirectUris, ...members });
const documentSchema = v.object({
  client_id: v.string(),
  redirect_uris: redirectUris,
  ...members,
  client_name: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
});

/** The metadata of RFC 7591 that this program knows; `redirect_uris` are not judged yet. */
export type ClientMetadata = v.InferOutput<typeof registrationSchema>;

/** Reads a registration. @throws OAuthError `invalid_redirect_uri` or `invalid_client_metadata` (400). */
export function parseRegistration(body: unknown): ClientMetadata {
  const result = v.safeParse(registrationSchema, body);
  if (result.success) return result.output;
  const member = result.issues[0].path?.[0]?.key;
  if (member === "redirect_uris") {
    throw new OAuthError("invalid_redirect_uri", "redirect_uris must be a list of 1 to 20 strings");
  }
  throw new OAuthError(
    "invalid_client_metadata",
    typeof member === "string" && member in members
      ? `The member ${member} is not what RFC 7591 says`
      : "The registration is not a JSON object",
  );
}

/** Authentication methods that rest on a shared secret, which a public document cannot hold. */
const secretMethods: readonly string[] = ["client_secret_basic", "client_secret_post", "client_secret_jwt"];

/**
 * Reads a client ID metadata document fetched from `url`.
 * @throws OAuthError `invalid_client` (400), whose `reason` says which rule was broken.
 */
export function parseClientDocument(document: unknown, url: string): ClientMetadata {
  const refuse = (reason: string) =>
    new OAuthError("invalid_client", "The client's metadata document is not valid", { reason });
  const result = v.safeParse(documentSchema, document);
  if (!result.success) throw refuse("cimd_malformed");
  const { client_id, ...metadata } = result.output;
  if (client_id !== url) throw refuse("cimd_client_id_mismatch");
  if (typeof document === "object" && document !== null) {
    if ("client_secret" in document || "client_secret_expires_at" in document) {
      throw refuse("cimd_has_secret");
    }
  }
  const method = metadata.token_endpoint_auth_method ?? "none";
  if (secretMethods.includes(method)) throw refuse("cimd_secret_method");
  if (method === "private_key_jwt" && metadata.jwks === undefined && metadata.jwks_uri === undefined) {
    throw refuse("cimd_no_keys");
  }
  return metadata;
}

/**
 * Whether a client_id is a URL that a metadata document may be fetched from: https with a path, nothing else in
 * it, in the very spelling that a parser would give it. `allowLoopback` admits http on this machine.
 */
export function isClientDocumentUrl(clientId: string, options: { allowLoopback?: boolean } = {}): boolean {
  if (clientId.length > 2_048 || !/^https?:\/\/[\x21-\x7e]+$/.test(clientId) || !URL.canParse(clientId)) {
    return false;
  }
  const url = new URL(clientId);
  if (url.protocol !== "https:" && !(options.allowLoopback === true && isLoopbackName(url.hostname))) {
    return false;
  }
  // The comparison refuses dot segments, an upper-case host, a default port, and what a parser repairs.
  return url.href === clientId && url.pathname.length > 1 && url.username === "" && url.password === "" &&
    !clientId.includes("#") && !/%2e/i.test(url.pathname);
}

function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}
