/**
 * Speaking to an authorization server as its client: tokens, registration, revocation, device codes. Requests are
 * oauth4webapi's, over our own way out; answers are read by `token_response.ts`, which takes what servers really
 * send. Import this file only where a request is about to be made.
 */
import * as oauth from "oauth4webapi";
import { readLimitedText } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { HttpClient } from "../base/http_client.ts";
import {
  basicCredentials,
  chooseAuthMethod,
  type ClientCredential,
  importSigningKey,
} from "./client_auth.ts";
import { endpointUrl } from "./endpoint_url.ts";
import { asFailure, OAuthFailure } from "./failure.ts";
import type { ServerMetadata } from "./server_metadata.ts";
import {
  answerFailure,
  type RawAnswer,
  readMembers,
  readTokenAnswer,
  type TokenSet,
} from "./token_response.ts";

/** What every call needs. */
export interface OAuthContext {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Ends the call. */
  readonly signal?: AbortSignal;
  /** Until the answer's headers; default 15 s. */
  readonly timeoutMs?: number;
  /** Cleartext to other machines, for an IdP that the operator explicitly allowed to be so. */
  readonly allowHttp?: boolean;
}

/** The party that is asked, and who asks. */
export interface Party {
  readonly server: ServerMetadata;
  readonly client: ClientCredential;
}

/** Parameters beyond the grant's own; a repeated name is sent repeatedly. */
export type Parameters = readonly (readonly [name: string, value: string])[];

const maxAnswerBytes = 256 * 1024;

/**
 * One token request of any grant type: `authorization_code` with `code`, `redirect_uri` and `code_verifier`;
 * `refresh_token`; `client_credentials`; the device grant; token exchange.
 * @throws OAuthFailure; `dead` when the server refused for good, `transient` when it could not be asked.
 */
export async function tokenRequest(
  context: OAuthContext,
  request: Party & { readonly grantType: string; readonly parameters: Parameters },
): Promise<TokenSet> {
  const { as, client } = library(context, request);
  requireEndpoint(context, request.server.token_endpoint, "token endpoint");
  const answer = await ask(
    context,
    "the token endpoint",
    async (options) =>
      oauth.genericTokenEndpointRequest(
        as,
        client,
        await clientAuth(request),
        request.grantType,
        new URLSearchParams(request.parameters.map(([name, value]) => [name, value])),
        options,
      ),
  );
  return readTokenAnswer(answer, context.clock.now());
}

/** Registers a client (RFC 7591) and returns the whole answer, in which `client_id` is a text. @throws OAuthFailure */
export async function registerClient(
  context: OAuthContext,
  server: ServerMetadata,
  metadata: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown> & { client_id: string }> {
  requireEndpoint(context, server.registration_endpoint, "registration endpoint");
  const answer = await ask(
    context,
    "the registration endpoint",
    (options) =>
      oauth.dynamicClientRegistrationRequest(issuerOf(server), metadata as Partial<oauth.Client>, options),
  );
  const members = readMembers(answer.body);
  const clientId = members?.client_id;
  if (answer.status < 200 || answer.status > 299 || typeof clientId !== "string" || clientId === "") {
    throw answerFailure(answer, members, "the registration endpoint");
  }
  return { ...members, client_id: clientId };
}

/** Revokes a token (RFC 7009). Does nothing where the server has no revocation endpoint. @throws OAuthFailure */
export async function revokeToken(
  context: OAuthContext,
  party: Party,
  token: string,
  hint: "access_token" | "refresh_token",
): Promise<void> {
  if (party.server.revocation_endpoint === undefined) return;
  requireEndpoint(context, party.server.revocation_endpoint, "revocation endpoint");
  const { as, client } = library(context, party);
  const answer = await ask(
    context,
    "the revocation endpoint",
    async (options) =>
      oauth.revocationRequest(as, client, await clientAuth(party), token, {
        ...options,
        additionalParameters: { token_type_hint: hint },
      }),
  );
  if (answer.status < 200 || answer.status > 299) {
    throw answerFailure(answer, readMembers(answer.body), "the revocation endpoint");
  }
}

/** What the user is told, and how to ask for the outcome (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete?: string;
  readonly expiresAtMs: number;
  readonly intervalMs: number;
}

/** Starts a device login. Poll with `tokenRequest` and the grant type `deviceGrant`. @throws OAuthFailure */
export async function deviceAuthorization(
  context: OAuthContext,
  request: Party & { readonly parameters: Parameters },
): Promise<DeviceAuthorization> {
  requireEndpoint(context, request.server.device_authorization_endpoint, "device authorization endpoint");
  const { as, client } = library(context, request);
  const answer = await ask(
    context,
    "the device authorization endpoint",
    async (options) =>
      oauth.deviceAuthorizationRequest(
        as,
        client,
        await clientAuth(request),
        new URLSearchParams(request.parameters.map(([name, value]) => [name, value])),
        options,
      ),
  );
  const members = readMembers(answer.body) ?? {};
  const { device_code, user_code, verification_uri, verification_uri_complete: complete } = members;
  const page = verification_uri ?? members.verification_url;
  if (
    answer.status !== 200 || typeof device_code !== "string" || typeof user_code !== "string" ||
    typeof page !== "string"
  ) {
    throw answerFailure(answer, members, "the device authorization endpoint");
  }
  return {
    deviceCode: device_code,
    userCode: user_code,
    verificationUri: page,
    ...(typeof complete === "string" ? { verificationUriComplete: complete } : {}),
    expiresAtMs: context.clock.now() + seconds(members.expires_in, 600) * 1_000,
    intervalMs: seconds(members.interval, 5) * 1_000,
  };
}

/** The grant type with which a device login is polled. */
export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

function seconds(value: unknown, otherwise: number): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : otherwise;
}

type RequestOptions = { [oauth.allowInsecureRequests]: true; [oauth.customFetch]: typeof fetch };

/** Makes the request over our client and reads the answer, whatever its status. */
async function ask(
  context: OAuthContext,
  what: string,
  request: (options: RequestOptions) => Promise<Response>,
): Promise<RawAnswer> {
  const send = (input: RequestInfo | URL, init?: RequestInit) =>
    context.http.fetch(input instanceof Request ? input.url : input, {
      ...init,
      signal: context.signal ?? null,
      timeoutMs: context.timeoutMs ?? 15_000,
    });
  try {
    // The endpoint's scheme was judged by `requireEndpoint`, which knows loopback.
    const response = await request({ [oauth.allowInsecureRequests]: true, [oauth.customFetch]: send });
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      body: await readLimitedText(response, maxAnswerBytes),
    };
  } catch (error) {
    context.signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    throw asFailure(error, what);
  }
}

function requireEndpoint(context: OAuthContext, endpoint: string | undefined, what: string): void {
  if (endpointUrl(endpoint, { allowHttp: context.allowHttp === true }) !== undefined) return;
  const found = endpoint === undefined
    ? "the server has none"
    : `"${endpoint}" is neither https nor loopback`;
  throw new OAuthFailure("dead", "bad_endpoint", `Cannot use the ${what}: ${found}`);
}

function issuerOf(server: ServerMetadata): oauth.AuthorizationServer {
  return Object.fromEntries(
    Object.entries(server).filter(([, value]) => value !== undefined),
  ) as unknown as oauth.AuthorizationServer;
}

function library(
  context: OAuthContext,
  party: Party,
): { as: oauth.AuthorizationServer; client: oauth.Client } {
  const skew = Math.round((context.clock.now() - Date.now()) / 1_000);
  return {
    as: issuerOf(party.server),
    client: { client_id: party.client.clientId, [oauth.clockSkew]: skew },
  };
}

async function clientAuth({ client, server }: Party): Promise<oauth.ClientAuth> {
  const { clientId, clientSecret = "", clientKey = "", clientKeyId } = client;
  switch (chooseAuthMethod(client, server)) {
    case "none":
      return oauth.None();
    case "client_secret_post":
      return oauth.ClientSecretPost(clientSecret);
    case "client_secret_basic":
      // Encodes no more than the form rules ask for: some servers compare the parts undecoded.
      return (_as, _client, _body, headers) =>
        headers.set("authorization", basicCredentials(clientId, clientSecret));
    case "private_key_jwt": {
      const key = await importSigningKey(clientKey, server.token_endpoint_auth_signing_alg_values_supported);
      return oauth.PrivateKeyJwt(clientKeyId === undefined ? key : { key, kid: clientKeyId });
    }
  }
}
