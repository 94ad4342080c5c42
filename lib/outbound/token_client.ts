/** Our own client at the token endpoint that makes tokens for the upstream; shared by the modes that ask one. */
import { noCounters } from "../base/counters.ts";
import { choice, scopes, text, url } from "../base/kinds.ts";
import { idpCalls, measured } from "../base/measured.ts";
import type { Values } from "../base/setting.ts";
import { OAuthError } from "../oauth/errors.ts";
import type { OAuthFailure } from "../oauth/failure.ts";
import type { FetchedToken } from "./cached_token.ts";
import type { OutboundContext } from "./outbound.ts";

const group = "Outbound";

/** The settings of that client. */
export const tokenClientSettings = {
  tokenUrl: {
    kind: url,
    env: "OUTBOUND_TOKEN_URL",
    flag: "outbound-token-url",
    mode: "http",
    group,
    help: "Token endpoint of outbound `oauth-client-credentials` and `token-exchange`",
  },
  clientId: {
    kind: text,
    env: "OUTBOUND_CLIENT_ID",
    flag: "outbound-client-id",
    mode: "http",
    group,
    help: "Client id at that endpoint",
  },
  clientSecret: {
    kind: text,
    env: "OUTBOUND_CLIENT_SECRET",
    flag: "outbound-client-secret",
    secret: true,
    mode: "http",
    group,
    help: "Client secret at that endpoint",
  },
  clientKey: {
    kind: text,
    env: "OUTBOUND_CLIENT_KEY",
    flag: "outbound-client-key",
    secret: true,
    mode: "http",
    group,
    help: "Private key (PKCS#8 PEM) for `private_key_jwt` in place of a secret",
  },
  clientAuth: {
    kind: choice(["client_secret_post", "client_secret_basic", "private_key_jwt"]),
    env: "OUTBOUND_CLIENT_AUTH",
    flag: "outbound-client-auth",
    defaultText: "private_key_jwt with a key, else client_secret_post",
    mode: "http",
    group,
    help: "How the client proves who it is",
  },
  scope: {
    kind: scopes,
    env: "OUTBOUND_SCOPES",
    flag: "outbound-scopes",
    mode: "http",
    group,
    help: "Scopes to ask for",
  },
  audience: {
    kind: text,
    env: "OUTBOUND_AUDIENCE",
    flag: "outbound-audience",
    mode: "http",
    group,
    help: "Sent as `audience` to the token endpoint",
  },
} as const;

/** A client and what it asks for. */
export interface TokenClientConfig {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientKey?: string;
  readonly authMethod: "client_secret_post" | "client_secret_basic" | "private_key_jwt";
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** The client's configuration; adds a line to `problems` when something that `mode` needs is missing. */
export function parseTokenClient(
  values: Values<typeof tokenClientSettings>,
  mode: string,
  problems: string[],
): TokenClientConfig {
  const { tokenUrl, clientId, clientSecret, clientKey, clientAuth, scope, audience } = values;
  const authMethod = clientAuth ?? (clientKey === undefined ? "client_secret_post" : "private_key_jwt");
  const missing = [
    tokenUrl === undefined ? "OUTBOUND_TOKEN_URL" : "",
    clientId === undefined ? "OUTBOUND_CLIENT_ID" : "",
    authMethod === "private_key_jwt" && clientKey === undefined ? "OUTBOUND_CLIENT_KEY" : "",
    authMethod !== "private_key_jwt" && clientSecret === undefined ? "OUTBOUND_CLIENT_SECRET" : "",
  ].filter((name) => name !== "");
  if (missing.length > 0) problems.push(`Cannot use outbound ${mode} without ${missing.join(", ")}`);
  return {
    tokenUrl: tokenUrl?.href ?? "",
    clientId: clientId ?? "",
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(clientKey === undefined ? {} : { clientKey }),
    authMethod,
    parameters: [
      ...(scope === undefined || scope.length === 0 ? [] : [["scope", scope.join(" ")] as const]),
      ...(audience === undefined ? [] : [["audience", audience] as const]),
    ],
  };
}

/** What a token request is made of beside the client. */
export interface TokenQuestion {
  readonly grantType: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The error for a refusal that this caller can cure; `undefined` where it is ours to mend. */
  readonly refusal?: (failure: OAuthFailure) => OAuthError | undefined;
}

/** @throws OAuthError, 503 with a time to wait unless the question knows better. */
export async function requestToken(
  config: TokenClientConfig,
  context: OutboundContext,
  question: TokenQuestion,
): Promise<FetchedToken> {
  const { tokenRequest } = await import("../oauth/client.ts");
  const { OAuthFailure } = await import("../oauth/failure.ts");
  const { tokenUrl, clientId, clientSecret, clientKey, authMethod, parameters } = config;
  const metrics = idpCalls(context.counters ?? noCounters);
  const ask = () =>
    tokenRequest({ http: context.http, clock: context.clock, timeoutMs: 10_000 }, {
      server: { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl },
      client: {
        clientId,
        authMethod,
        ...(clientSecret === undefined ? {} : { clientSecret }),
        ...(clientKey === undefined ? {} : { clientKey }),
      },
      grantType: question.grantType,
      parameters: [...parameters, ...question.parameters],
    });
  try {
    return await measured(metrics, { call: "outbound" }, ask);
  } catch (error) {
    const failure = error instanceof OAuthFailure ? error : undefined;
    const curable = failure && question.refusal?.(failure);
    if (curable !== undefined) throw curable;
    context.log.error("outbound_token_failed", {
      reason: failure?.reason ?? "internal",
      cause: error instanceof Error ? error.message : String(error),
    });
    throw new OAuthError("temporarily_unavailable", "The credential for the server behind cannot be had", {
      status: 503,
      reason: `outbound_${failure?.reason ?? "internal"}`,
      retryAfterSec: failure?.retryAfterSec ?? 5,
      cause: error,
    });
  }
}
