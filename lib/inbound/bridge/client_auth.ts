import type { Context } from "hono";
import { assertionSubject, checkClientAssertion } from "../../crypto/client_assertion.ts";
import { type Client, findClient } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter } from "./forms.ts";
import { type BridgeParts, endpoints } from "./parts.ts";
import { useOnce } from "./used.ts";

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/**
 * Who sends a form to the token or revocation endpoint (RFC 6749 section 2.3). A client that has a secret may send it
 * in the header or in the body, whichever it registered.
 * @throws OAuthError `invalid_client` or `invalid_request`
 */
export async function authenticateClient(
  parts: BridgeParts,
  c: Context,
  form: URLSearchParams,
): Promise<Client> {
  const basic = readBasic(c);
  const assertion = parameter(form, "client_assertion");
  const inBody = parameter(form, "client_secret");
  if ([basic?.[0]?.secret || undefined, assertion, inBody].filter((way) => way !== undefined).length > 1) {
    throw failure("client_auth_twice");
  }
  const bodyId = parameter(form, "client_id");
  if (assertion !== undefined) return await byAssertion(parts, form, assertion, bodyId);
  const spellings = basic ?? (bodyId === undefined ? [] : [{ id: bodyId, secret: inBody ?? "" }]);
  const [first, ...others] = spellings;
  if (first === undefined) throw failure("client_id_missing");
  if (basic !== undefined && bodyId !== undefined && !basic.some(({ id }) => id === bodyId)) {
    throw failure("client_auth_failed");
  }
  const client = await findClient(parts, bodyId ?? first.id);
  const secrets = [first, ...others].map(({ secret }) => secret);
  if (secrets.every((secret) => secret === "")) {
    if (client.auth === "none") return client;
    throw failure("client_auth_missing");
  }
  for (const secret of secrets) if (await client.hasSecret(secret)) return client;
  throw failure("client_auth_failed");
}

/** Whether the request tried HTTP authentication, so that its refusal must name the scheme (RFC 6749 section 5.2). */
export function usesBasic(c: Context): boolean {
  return /^basic(?: |$)/i.test(c.req.header("authorization") ?? "");
}

interface Credential {
  readonly id: string;
  readonly secret: string;
}

/**
 * The header's credentials as RFC 6749 section 2.3.1 has them, form-encoded before base64; and as they stand, for the
 * many clients that leave the encoding out.
 */
function readBasic(c: Context): readonly Credential[] | undefined {
  if (!usesBasic(c)) return undefined;
  const encoded = (c.req.header("authorization") ?? "").slice("basic".length).trim();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(encoded));
  } catch {
    throw failure("client_auth_failed");
  }
  const colon = text.indexOf(":");
  if (colon < 1) throw failure("client_auth_failed");
  const plain = { id: text.slice(0, colon), secret: text.slice(colon + 1) };
  const decoded = { id: formDecoded(plain.id), secret: formDecoded(plain.secret) };
  const same = decoded.id === plain.id && decoded.secret === plain.secret;
  return same ? [plain] : [decoded, plain];
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

async function byAssertion(
  parts: BridgeParts,
  form: URLSearchParams,
  assertion: string,
  bodyId: string | undefined,
): Promise<Client> {
  if (parameter(form, "client_assertion_type") !== assertionType) throw failure("client_auth_failed");
  const clientId = bodyId ?? assertionSubject(assertion);
  if (clientId === undefined) throw failure("client_auth_failed");
  const client = await findClient(parts, clientId);
  if (parts.documents?.owns(clientId)) await parts.documents.verifyAssertion(clientId, assertion);
  else await verifyByOwnKeys(parts, client, assertion);
  return client;
}

async function verifyByOwnKeys(parts: BridgeParts, client: Client, assertion: string): Promise<void> {
  const { config, clock, store } = parts;
  const audiences = [config.baseUrl, endpoints(config).token];
  const rules = { clientId: client.key, audiences, clock };
  const checked = await checkClientAssertion(assertion, client.jwks, rules);
  if (checked === undefined) throw failure("client_auth_failed");
  const id = `${client.key} ${checked.jti}`;
  if (!await useOnce(store, "assertion", id, checked.expiresAtMs - clock.now())) {
    throw failure("client_auth_failed");
  }
}
