/** Machines as callers, with the SDK's own providers for them. */
import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client/auth-extensions"
import {
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
} from "@modelcontextprotocol/sdk/client/auth-extensions.js";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { startIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";

Deno.test("machines get in by secret and by signature, and the upstream is told who they are", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const grants = { grant_types: ["client_credentials"], scope: "openid email" };
  const clients = [
    { client_id: "robot", client_secret: "robot-secret", ...grants },
    { client_id: "signer", jwks: { keys: [await exportJWK(publicKey)] }, ...grants },
  ];
  await using idp = await startIdp();
  await using upstream = startUpstream();
  const env = { STATIC_CLIENTS: JSON.stringify(clients) };
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url, env });
  const expectedIssuer = http.baseUrl;
  const providers = [
    new ClientCredentialsProvider({ clientId: "robot", clientSecret: "robot-secret", expectedIssuer }),
    new PrivateKeyJwtProvider({
      clientId: "signer",
      privateKey: await exportPKCS8(privateKey),
      algorithm: "ES256",
      expectedIssuer,
    }),
  ];

  for (const authProvider of providers) {
    const client = new Client({ name: "machine", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(http.mcpUrl), { authProvider }));
    const result = await client.callTool({ name: "echo", arguments: { text: "hello" } });
    await client.close();
    assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
  }

  const told = upstream.received.map((each) => each.headers.get("x-user-sub"));
  assert.deepEqual([...new Set(told)], ["robot", "signer"]);
  assert.ok(upstream.received.every((each) => each.headers.get("authorization") === null));
});
