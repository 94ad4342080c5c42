import { equalInConstantTime } from "../../base/bytes.ts";
import type { SealFailure } from "../../crypto/sealer.ts";
import { type Cause, failure } from "./failures.ts";
import type { BridgeParts } from "./parts.ts";
import { isRegisteredRedirect, refusedRedirect } from "./redirects.ts";
import { type ClientAuthMethod, openTicket } from "./tickets.ts";

/** A client, wherever it is known from. */
export interface Client {
  /** Short and stable; what tickets, grants and revocations name the client by. */
  readonly key: string;
  readonly name?: string;
  readonly auth: ClientAuthMethod;
  /** Keys of its own, for `private_key_jwt`, where they are known without a document. */
  readonly jwks?: unknown;
  /** Grants without a user at a browser. */
  readonly grantTypes?: readonly string[];
  /** Scopes that it may have for itself. */
  readonly scopes?: readonly string[];
  /** The only registered redirect URI, for requests that name none. */
  readonly onlyUri?: string;
  /** Whether a request may ask for this redirect URI. */
  allowsUri(uri: string): boolean;
  /** Whether this is the client's secret; always false for a client without one. */
  hasSecret(secret: string): Promise<boolean>;
}

const causes: Record<SealFailure, Cause> = {
  malformed: "client_id_invalid",
  unknown_key: "client_key_unknown",
  wrong_purpose: "client_typ_mismatch",
  wrong_audience: "client_audience_mismatch",
  expired: "client_registration_expired",
};

/**
 * The client of an id: one that the operator registered, a metadata document, a dynamic registration, or whoever uses
 * the proxy's own client id at the IdP (as some users type it into their client; it is as public as any registration).
 * @throws OAuthError `invalid_client`
 */
export async function findClient(parts: BridgeParts, clientId: string): Promise<Client> {
  const { config, sealer, documents } = parts;
  const fixed = config.staticClients.find((client) => client.clientId === clientId);
  if (fixed !== undefined) {
    return {
      key: fixed.clientId,
      ...(fixed.name === undefined ? {} : { name: fixed.name }),
      auth: fixed.jwks !== undefined
        ? "private_key_jwt"
        : fixed.clientSecret === undefined
        ? "none"
        : "client_secret_post",
      ...(fixed.jwks === undefined ? {} : { jwks: fixed.jwks }),
      ...(fixed.grantTypes === undefined ? {} : { grantTypes: fixed.grantTypes }),
      ...(fixed.scopes === undefined ? {} : { scopes: fixed.scopes }),
      ...withUris(fixed.redirectUris),
      hasSecret: (secret) =>
        Promise.resolve(fixed.clientSecret !== undefined && equalInConstantTime(secret, fixed.clientSecret)),
    };
  }
  if (documents?.owns(clientId)) {
    const document = await documents.find(clientId);
    return {
      key: clientId,
      ...(document.name === undefined ? {} : { name: document.name }),
      auth: document.auth,
      ...withUris(document.redirectUris),
      hasSecret: () => Promise.resolve(false),
    };
  }
  if (clientId === config.idp.clientId) {
    const own = config.idp.clientSecret;
    return {
      key: clientId,
      auth: "none",
      allowsUri: (uri) => refusedRedirect(uri, config) === undefined,
      hasSecret: (secret) => Promise.resolve(own !== undefined && equalInConstantTime(secret, own)),
    };
  }
  const opened = await openTicket(sealer, "client", clientId);
  if (!opened.ok) throw failure(causes[opened.reason]);
  const { id, uris, name, auth } = opened.value;
  return {
    key: id,
    ...(name === undefined ? {} : { name }),
    auth,
    ...withUris(uris),
    async hasSecret(secret) {
      const ticket = await openTicket(sealer, "client_secret", secret);
      return ticket.ok && ticket.value.client === id;
    },
  };
}

function withUris(uris: readonly string[]): Pick<Client, "onlyUri" | "allowsUri"> {
  const [only, ...more] = uris;
  return {
    ...(only !== undefined && more.length === 0 ? { onlyUri: only } : {}),
    allowsUri: (uri) => isRegisteredRedirect(uri, uris),
  };
}
