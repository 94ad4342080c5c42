/** The SDK's clients say and hear through the pump, message by message, what they say and hear without it. */
import assert from "node:assert/strict";
import { StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { startUpstream } from "../fakes/upstream.ts";
import { modernServer } from "../fakes/upstream_modern.ts";
import {
  type AnyClient,
  clientV1,
  clientV2,
  common,
  session,
  type Step,
  transcriptOf,
} from "../support/feature_script.ts";
import { type AnyTransport, pumpTransport } from "../support/pump_transport.ts";

async function compare(
  make: () => AnyClient,
  direct: (url: string) => AnyTransport,
  start: () => AsyncDisposable & { readonly url: string },
  steps: Step[],
  atLeast: number,
) {
  await using first = start();
  const without = await transcriptOf(make(), direct(first.url), steps);
  await using second = start();
  const through = await transcriptOf(make(), pumpTransport(second.url), steps);
  assert.deepEqual(through.lines(), without.lines());
  assert.ok(through.count() >= atLeast, `${through.count()} messages`);
}

const httpV1 = (url: string) => new HttpV1(new URL(url)) as unknown as AnyTransport;
const httpV2 = (url: string) => new HttpV2(new URL(url)) as unknown as AnyTransport;

for (const json of [false, true]) {
  // With JSON answers a server of version 1 has no way to say anything while a call runs.
  const steps = json
    ? session.filter(([name]) => !["sampling", "elicitation", "logs", "progress"].includes(name))
    : session;
  const start = () => startUpstream({ json, eras: "legacy" });
  Deno.test(`v1 client, v1 server, ${json ? "JSON" : "event streams"}: the same transcript`, async () => {
    await compare(clientV1, httpV1, start, steps, json ? 50 : 60);
  });
  Deno.test(`v2 client, v1 server, ${json ? "JSON" : "event streams"}: the same transcript`, async () => {
    await compare(() => clientV2(false), httpV2, start, steps, json ? 50 : 60);
  });
}

Deno.test("v2 client, v2 server, revision 2026-07-28: the same transcript", async () => {
  const start = () => startUpstream({ eras: "modern" });
  const thrice = [1, 2, 3].flatMap((turn) => common.map(([name, run]): Step => [`${name} ${turn}`, run]));
  await compare(() => clientV2(true), httpV2, start, thrice, 60);
});

/** A server of version 2 that serves the session revisions without sessions. */
function statelessV2() {
  const facts = { name: "v2", instructions: undefined, headers: {}, claims: undefined };
  const handler = createMcpHandler(() => modernServer(facts));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => handler.fetch(request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await handler.close();
      await server.shutdown();
    },
  };
}

for (
  const [name, make, direct] of [["v1", clientV1, httpV1], ["v2", () => clientV2(false), httpV2]] as const
) {
  Deno.test(`${name} client, v2 server, session revisions: the same transcript`, async () => {
    const twice = [1, 2].flatMap((turn) => common.map(([step, run]): Step => [`${step} ${turn}`, run]));
    await compare(make, direct, statelessV2, twice, 60);
  });
}
