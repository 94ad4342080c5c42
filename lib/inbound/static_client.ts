/**
 * An IdP without registration, made usable for clients that insist on it: our own metadata document is the IdP's with
 * our issuer and a registration endpoint, and whoever registers gets the one client that the operator made there.
 * The IdP's list of redirect URIs is what keeps others out.
 */
import type { Context, Hono } from "hono";
import { BodyTooLarge, readLimitedText } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import { cleanText } from "../base/log_line.ts";
import { typedIssuer } from "../idp/server.ts";
import { OAuthError } from "../oauth/errors.ts";
import { unionScopes } from "../oauth/scope.ts";
import { openIdConfigurationUrl } from "../oauth/server_metadata.ts";
import type { RemoteConfig } from "./config.ts";
import { publicCors } from "./cors.ts";

/** What these endpoints are made with. */
export interface StaticClientParts {
  readonly config: RemoteConfig;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
}

const maxBodyBytes = 65_536;
const maxDocumentBytes = 512 * 1024;
/** How long the IdP's document is kept; it is asked for by every client that starts. */
const keepMs = 60_000;

/** Adds the registration endpoint, if there is a client to give. */
export function mountStaticClient(app: Hono, parts: StaticClientParts): void {
  const { baseUrl, registerPath, staticClient } = parts.config;
  if (staticClient === undefined) return;
  const path = new URL(baseUrl + registerPath).pathname;
  app.use(path, publicCors());
  app.post(path, (c) => register(c, parts, staticClient));
}

/** Our metadata document, made of the IdP's. The function throws an `OAuthError` (502) where that cannot be had. */
export function rewrittenMetadata(parts: StaticClientParts): () => Promise<Record<string, unknown>> {
  const document = keptDocument(parts);
  return async () => rewritten(await document(), parts.config);
}

/** The IdP's document as ours: RFC 8414 section 3.3 wants the issuer to be where it was asked for. */
function rewritten(document: Record<string, unknown>, config: RemoteConfig): Record<string, unknown> {
  const { authorization_response_iss_parameter_supported: _ours, ...rest } = document;
  return {
    ...rest,
    issuer: config.baseUrl,
    scopes_supported: unionScopes(config.scopesSupported, config.allow.requiredScopes),
    ...(config.staticClient === undefined
      ? {}
      : { registration_endpoint: config.baseUrl + config.registerPath }),
  };
}

/** The IdP's document, fetched once for all who want it now. */
function keptDocument(
  { config, http, clock, log }: StaticClientParts,
): () => Promise<Record<string, unknown>> {
  const url = openIdConfigurationUrl(typedIssuer(config.issuerUrl));
  let kept: { readonly document: Record<string, unknown>; readonly atMs: number } | undefined;
  let pending: Promise<Record<string, unknown>> | undefined;

  const fetchDocument = async (): Promise<Record<string, unknown>> => {
    try {
      const response = await http.fetch(url, { headers: { accept: "application/json" }, timeoutMs: 5_000 });
      const text = await readLimitedText(response, maxDocumentBytes);
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
      const document = JSON.parse(text);
      if (!isObject(document)) throw new Error("not a JSON object");
      kept = { document, atMs: clock.now() };
      return document;
    } catch (cause) {
      log.warn("idp_discovery_failed", { provider: config.provider, cause: describeError(cause) });
      throw new OAuthError("temporarily_unavailable", "The identity provider's metadata cannot be had", {
        status: 502,
        reason: "idp_unavailable",
        cause,
      });
    }
  };

  return async () => {
    if (kept !== undefined && clock.now() - kept.atMs < keepMs) return kept.document;
    return await (pending ??= fetchDocument().finally(() => pending = undefined));
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** POST of a registration (RFC 7591): whatever is asked for, the answer is the same client. */
async function register(
  c: Context,
  { clock, log }: StaticClientParts,
  client: { readonly clientId: string; readonly clientSecret: string },
): Promise<Response> {
  const headers = { "cache-control": "no-store", pragma: "no-cache" };
  const asked = await readObject(c);
  if (asked instanceof Response) return asked;
  const list = (name: string, otherwise: readonly string[]) =>
    Array.isArray(asked[name]) ? asked[name] : otherwise;
  const method = asked.token_endpoint_auth_method;
  const name = typeof asked.client_name === "string" ? asked.client_name : undefined;
  log.info("static_client_given", { client: client.clientId, clientName: cleanText(name ?? "") });
  return c.json(
    {
      client_id: client.clientId,
      client_secret: client.clientSecret,
      client_id_issued_at: Math.floor(clock.now() / 1_000),
      client_secret_expires_at: 0,
      redirect_uris: list("redirect_uris", []),
      grant_types: list("grant_types", ["authorization_code", "refresh_token"]),
      response_types: list("response_types", ["code"]),
      // The client has a secret at the IdP and must send it, also when it asked to be a public one.
      token_endpoint_auth_method: method === "none" ? "client_secret_post" : method ?? "client_secret_basic",
      ...(name === undefined ? {} : { client_name: name }),
    },
    201,
    headers,
  );
}

async function readObject(c: Context): Promise<Record<string, unknown> | Response> {
  const refuse = (status: 400 | 413, description: string) =>
    c.json({ error: "invalid_client_metadata", error_description: description }, status, {
      "cache-control": "no-store",
    });
  try {
    const body = JSON.parse(await readLimitedText(c.req.raw, maxBodyBytes));
    if (isObject(body)) return body;
  } catch (error) {
    if (error instanceof BodyTooLarge) return refuse(413, "The registration is too long");
  }
  return refuse(400, "The registration is not a JSON object");
}
