/** A bridge on a real port, in front of the real test IdP. */
import { Hono } from "hono";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { silentLog } from "../../lib/base/log.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { jweSealer } from "../../lib/crypto/jwe_sealer.ts";
import { keyRing } from "../../lib/crypto/key_ring.ts";
import { openInbound } from "../../lib/inbound/shapes.ts";
import type { BridgeConfig } from "../../lib/inbound/config.ts";
import type { Inbound } from "../../lib/inbound/inbound.ts";
import { memoryStore } from "../../lib/store/memory.ts";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { tlsFiles } from "../support/tls.ts";
import { bridgeConfig, secret } from "./kit.ts";

export interface ServedBridge extends AsyncDisposable {
  readonly baseUrl: string;
  readonly bridge: Inbound;
  /** For requests that need no network. */
  readonly app: Hono;
  readonly idp: TestIdp;
}

/**
 * `https`: with a certificate for `localhost` that a browser must be told to accept. `hold`: pages that would go on by
 * themselves stay, to be looked at.
 */
export async function serveBridge(
  options: {
    https?: boolean;
    hold?: boolean;
    config?: Partial<BridgeConfig>;
    idp?: Parameters<typeof startIdp>[0];
  } = {},
): Promise<ServedBridge> {
  const idp = await startIdp(options.idp);
  const app = new Hono();
  const tls = options.https
    ? { cert: await Deno.readTextFile(tlsFiles.serverCert), key: await Deno.readTextFile(tlsFiles.serverKey) }
    : {};
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
    async (request) => {
      const response = await app.fetch(request);
      if (!options.hold || !response.headers.get("content-type")?.startsWith("text/html")) return response;
      const html = (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, "");
      return new Response(html, { status: response.status, headers: response.headers });
    },
  );
  const baseUrl = `${options.https ? "https" : "http"}://localhost:${server.addr.port}`;
  await idp.addRedirect(`${baseUrl}/auth/callback`);
  const config = bridgeConfig({
    baseUrl,
    resource: `${baseUrl}/mcp`,
    idp: {
      ...bridgeConfig().idp,
      issuerUrl: idp.issuer,
      clientId: idp.clientId,
      clientSecret: idp.clientSecret,
      scopes: ["openid", "email", "profile", "groups"],
    },
    ...options.config,
  });
  const clock = systemClock;
  const http = openHttpClient();
  const sealer = jweSealer({ keys: await keyRing([secret]), audience: baseUrl, clock, log: silentLog });
  const bridge = await openInbound(config, {
    sealer,
    store: memoryStore(clock),
    http,
    clock,
    log: silentLog,
  });
  bridge.mount(app);
  return {
    baseUrl,
    bridge,
    app,
    idp,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await bridge[Symbol.asyncDispose]();
      http.close();
      await idp[Symbol.asyncDispose]();
    },
  };
}
