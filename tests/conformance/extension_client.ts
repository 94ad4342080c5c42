/**
 * What the conformance suite starts as its client in the scenarios of the two authorization extensions. The SDK's
 * client first satisfies the suite's own server, which is what the suite scores; then it does the same, with the same
 * fixture, at an mcp-doorman that knows the fixture's client.
 *
 *     fixture -> SDK client -> the suite's server   the suite's verdict
 *            `-> SDK client -> mcp-doorman          an exit code other than 0 when a call does not get through
 */
import assert from "node:assert/strict";
import {
  Client,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  PrivateKeyJwtProvider,
  requestJwtAuthorizationGrant,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { createPublicKey } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from "jose";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";

/** What the suite hands over. */
interface Fixture {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
  readonly signing_algorithm?: string;
  readonly idp_client_id?: string;
  readonly idp_id_token?: string;
  readonly idp_token_endpoint?: string;
}

type Provider = ClientCredentialsProvider | PrivateKeyJwtProvider | CrossAppAccessProvider;

const fixture: Fixture = JSON.parse(Deno.env.get("MCP_CONFORMANCE_CONTEXT") ?? "{}");
const suiteUrl = Deno.args.at(-1) ?? "";
const clientId = fixture.client_id;
const clientSecret = fixture.client_secret ?? "";

await connected(suiteUrl, providerOf(fixture, (assertion) => Promise.resolve(assertion)));

// In a file: the fixture's secret begins as its name does, and would be taken for it wherever the name is logged.
using clients = temporaryFile(JSON.stringify([await registered(fixture)]));
await using standIn = await assertingIdp();
await using idp = await startIdp();
await using upstream = startUpstream({ eras: "legacy" });
await using http = await startHttpMode({
  idp,
  upstreamUrl: upstream.url,
  env: { STATIC_CLIENTS_FILE: clients.path, ASSERTION_ISSUERS: standIn.issuer },
});
const client = await connected(http.mcpUrl, providerOf(fixture, standIn.signAgain));
const { content } = await client.callTool({ name: "echo", arguments: { text: "hello" } });
assert.deepEqual(content, [{ type: "text", text: "hello" }]);
const expected = fixture.idp_id_token === undefined ? clientId : decodeJwt(fixture.idp_id_token).sub;
assert.equal(upstream.last("tools/call")?.headers.get("x-user-sub"), expected);
await client.close();

async function connected(url: string, authProvider: Provider): Promise<Client> {
  const made = new Client({ name: "extension-client", version: "1.0.0" });
  await made.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
  await made.listTools();
  return made;
}

/** The provider for this fixture; `handle` gets each assertion before it goes on. */
function providerOf(given: Fixture, handle: (assertion: string) => Promise<string>): Provider {
  const { private_key_pem: privateKey, signing_algorithm: algorithm = "", idp_id_token: idToken } = given;
  if (privateKey !== undefined) return new PrivateKeyJwtProvider({ clientId, privateKey, algorithm });
  if (idToken === undefined) return new ClientCredentialsProvider({ clientId, clientSecret });
  return new CrossAppAccessProvider({
    clientId,
    clientSecret,
    async assertion({ authorizationServerUrl: audience, resourceUrl: resource, fetchFn }) {
      const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
        tokenEndpoint: given.idp_token_endpoint ?? "",
        clientId: given.idp_client_id ?? "",
        audience,
        resource,
        idToken,
        fetchFn,
      });
      return await handle(jwtAuthGrant);
    },
  });
}

function temporaryFile(text: string) {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, text);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** The fixture's client as an operator registers it. */
async function registered(given: Fixture): Promise<Record<string, unknown>> {
  const grant = given.idp_id_token === undefined
    ? "client_credentials"
    : "urn:ietf:params:oauth:grant-type:jwt-bearer";
  const proof = given.private_key_pem === undefined
    ? { client_secret: clientSecret }
    : { jwks: { keys: [await exportJWK(createPublicKey(given.private_key_pem))] } };
  return { client_id: clientId, grant_types: [grant], scope: "openid profile email", ...proof };
}

/**
 * The suite's IdP publishes no keys, so that nobody but the suite can check what it signs. This one signs the same
 * assertion again, with keys that can be had; what it says stays as it is but for who says it.
 */
async function assertingIdp() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), alg: "ES256", use: "sig" };
  const server = startHandler((request) => {
    const { origin, pathname } = new URL(request.url);
    if (pathname === "/jwks") return Response.json({ keys: [jwk] });
    return Response.json({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    });
  });
  return {
    issuer: server.origin,
    signAgain: (assertion: string) =>
      new SignJWT({ ...decodeJwt(assertion), iss: server.origin })
        .setProtectedHeader({ alg: "ES256", typ: decodeProtectedHeader(assertion).typ ?? "" })
        .sign(privateKey),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
