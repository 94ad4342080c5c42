import type { Context } from "hono";
import { cleanText } from "../../base/log_line.ts";
import { randomText } from "../../base/bytes.ts";
import { type ClientMetadata, parseRegistration } from "../../oauth/client_metadata.ts";
import { narrowScopes, parseScope } from "../../oauth/scope.ts";
import { clientName } from "./client_name.ts";
import { failure } from "./failures.ts";
import { readBody } from "./forms.ts";
import { funnelOf } from "./funnel.ts";
import type { BridgeParts } from "./parts.ts";
import { refusedRedirect } from "./redirects.ts";
import { type ClientAuthMethod, sealTicket } from "./tickets.ts";

/**
 * POST of a registration (RFC 7591). Nothing is stored: the client's id is the registration, sealed. A redirect URI
 * that is not allowed is left out; only a registration without any allowed one is refused.
 */
export async function register(parts: BridgeParts, c: Context): Promise<Response> {
  const { config, sealer, clock, log, counters } = parts;
  const metadata = parseRegistration(parseJson(await readBody(c)));
  const auth = authMethod(metadata);
  const uris = allowedUris(parts, metadata.redirect_uris);
  const name = clientName(metadata.client_name);
  const id = randomText(12);

  const ttlMs = config.clientTtlMs === 0 ? undefined : config.clientTtlMs;
  const clientId = await sealTicket(sealer, "client", {
    id,
    uris,
    auth,
    ...(name === undefined ? {} : { name }),
  }, ttlMs);
  const secret = auth === "none"
    ? undefined
    : await sealTicket(sealer, "client_secret", { client: id }, ttlMs);

  const nowMs = clock.now();
  const expiresAtSec = ttlMs === undefined ? 0 : Math.floor((nowMs + ttlMs) / 1000);
  counters.add("mcp_auth_clients_registered_total");
  funnelOf(parts).step("registered", name);
  log.info("client_registered", {
    client: id,
    clientName: cleanText(metadata.client_name ?? ""),
    count: uris.length,
  });
  return Response.json({
    client_id: clientId,
    client_id_issued_at: Math.floor(nowMs / 1000),
    client_id_expires_at: expiresAtSec,
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: expiresAtSec }),
    ...echoed(metadata, config.scopesSupported),
    redirect_uris: uris,
    token_endpoint_auth_method: auth,
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  }, { status: 201, headers: { "cache-control": "no-store, no-transform", pragma: "no-cache" } });
}

function parseJson(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw failure("registration_malformed", { error });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw failure("registration_malformed");
  }
  return body;
}

/** As asked; a client that does not say is a public one. */
function authMethod(metadata: ClientMetadata): ClientAuthMethod {
  const { grant_types, response_types } = metadata;
  const asked = metadata.token_endpoint_auth_method || "none";
  const isEmpty = (list: readonly string[] | undefined) => list === undefined || list.length === 0;
  if (!isEmpty(grant_types) && !grant_types?.includes("authorization_code")) {
    throw failure("grant_types_unsupported");
  }
  if (!isEmpty(response_types) && !response_types?.includes("code")) throw failure("grant_types_unsupported");
  if (asked === "none" || asked === "client_secret_post" || asked === "client_secret_basic") return asked;
  throw failure("auth_method_unsupported");
}

function allowedUris(parts: BridgeParts, asked: readonly string[]): string[] {
  const allowed: string[] = [];
  for (const uri of new Set(asked)) {
    const refusal = refusedRedirect(uri, parts.config);
    if (refusal === undefined) allowed.push(uri);
    else {
      const origin = URL.canParse(uri) ? `${new URL(uri).protocol}//${new URL(uri).host}` : "(not a URL)";
      parts.log.warn("redirect_uri_refused", {
        origin,
        reason: refusal,
        hint: "to allow it, add its host to REDIRECT_HOSTS or its scheme to REDIRECT_SCHEMES",
      });
    }
  }
  if (allowed.length === 0) throw failure("redirect_uri_refused");
  return allowed;
}

/** What was registered besides, as RFC 7591 section 3.2.1 wants it returned; members without a value are left out. */
function echoed(metadata: ClientMetadata, scopesSupported: readonly string[]): Record<string, unknown> {
  const asked = parseScope(metadata.scope);
  const scopes = asked.length === 0 ? scopesSupported : narrowScopes(asked, scopesSupported);
  const { redirect_uris: _uris, scope: _scope, jwks: _jwks, jwks_uri: _jwksUri, ...rest } = metadata;
  return {
    ...Object.fromEntries(
      Object.entries(rest).filter(([, value]) => value !== undefined && value.length > 0),
    ),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
  };
}
