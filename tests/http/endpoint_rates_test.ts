import assert from "node:assert/strict";
import { Hono } from "hono";
import { endpointRates } from "../../lib/http/endpoint_rates.ts";
import { bridgeKit } from "../inbound/kit.ts";
import { settings, startFront } from "./support.ts";

Deno.test("every endpoint of the bridge has a rate at each of its addresses, below a base path too", async () => {
  for (const path of ["", "/team"]) {
    const baseUrl = `https://door.example${path}`;
    const config = { baseUrl, resource: `${baseUrl}/mcp`, mountPath: `${path}/mcp` };
    const kit = await bridgeKit({ config });
    const app = new Hono();
    kit.bridge.mount(app);
    const rates = endpointRates({ inbound: kit.config, baseUrl });
    const endpoints = new Set(app.routes.map((route) => route.path));

    assert.deepEqual([...endpoints].filter((at) => !at.includes("/.well-known/") && !rates.has(at)), []);
    assert.deepEqual([...rates.keys()].filter((at) => !endpoints.has(at)), []);
  }
});

Deno.test("the addresses of one rate count together", async () => {
  await using front = await startFront({
    upstream: () => new Response("{}"),
    settings: {
      limits: { ...settings.limits, enabled: true, perMinute: { ...settings.limits.perMinute, token: 1 } },
      endpoints: new Map([["/token", "token"], ["/.well-known/oauth-protected-resource/mcp", "token"]]),
    },
  });
  const statusAt = async (path: string, method: string) => {
    const response = await fetch(front.origin + path, { method });
    await response.body?.cancel();
    return response.status;
  };

  assert.equal(await statusAt("/token", "POST"), 200);
  assert.equal(await statusAt("/.well-known/oauth-protected-resource/mcp", "GET"), 429);
});
