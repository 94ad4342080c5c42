/** The SDK's clients say and hear through the pump, message by message, what they say and hear without it. */
import assert from "node:assert/strict";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import * as v1 from "@modelcontextprotocol/sdk/types.js";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { z } from "zod";
import { startUpstream } from "../fakes/upstream.ts";
import { modernServer } from "../fakes/upstream_modern.ts";
import {
  type AnyTransport,
  pumpTransport,
  recordTranscript,
  type Transcript,
} from "../support/pump_transport.ts";

// deno-lint-ignore no-explicit-any -- the two SDKs have types of their own for the same thing
type AnyClient = any;

const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} };
const info = { name: "transcript-host", version: "3.2.1" };
const sampled = { role: "assistant", model: "m", content: { type: "text", text: "four" } };
const elicited = { action: "accept", content: { name: "Ada" } };
const roots = { roots: [{ uri: "file:///x", name: "x" }] };

function clientV1(): AnyClient {
  const client = new ClientV1(info, { capabilities });
  client.setRequestHandler(v1.CreateMessageRequestSchema, () => sampled as v1.CreateMessageResult);
  client.setRequestHandler(v1.ElicitRequestSchema, () => elicited as v1.ElicitResult);
  client.setRequestHandler(v1.ListRootsRequestSchema, () => roots);
  return client;
}

function clientV2(modern: boolean): AnyClient {
  const client: AnyClient = new ClientV2(info, {
    capabilities,
    ...(modern ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {}),
  });
  client.setRequestHandler("sampling/createMessage", () => sampled);
  client.setRequestHandler("elicitation/create", () => elicited);
  client.setRequestHandler("roots/list", () => roots);
  return client;
}

type Step = [name: string, run: (client: AnyClient, transcript: Transcript) => Promise<unknown>];

const call = (name: string, args: Record<string, unknown> = {}, options?: unknown): Step[1] => (client) =>
  client instanceof ClientV1
    ? client.callTool({ name, arguments: args }, undefined, options as object)
    : client.callTool({ name, arguments: args }, options);

const common: Step[] = [
  ["tools", (client) => client.listTools()],
  ["echo", call("echo", { text: "héllo 😀" })],
  ["echo again", call("echo", { text: "" })],
  ["progress", call("slow", { steps: 4, delayMs: 1 }, { onprogress: () => {} })],
  ["big", call("big", { bytes: 70_000 })],
  ["failure of the tool", call("fail")],
  ["no such tool", call("missing")],
  ["bad arguments", call("echo", { text: 5 })],
  ["claims", call("claims")],
  ["resources", (client) => client.listResources()],
  ["resource", (client) => client.readResource({ uri: "note://one" })],
  ["no such resource", (client) => client.readResource({ uri: "none://x" })],
  ["prompts", (client) => client.listPrompts()],
  ["prompt", (client) => client.getPrompt({ name: "greet", arguments: { name: "Ada" } })],
  ["no such prompt", (client) => client.getPrompt({ name: "missing" })],
];

const session: Step[] = [
  ...common,
  ["ping", (client) => client.ping()],
  ["templates", (client) => client.listResourceTemplates()],
  ["template", (client) => client.readResource({ uri: "note://two" })],
  ["log level", (client) => client.setLoggingLevel("debug")],
  ["logs", call("log", { count: 3 })],
  ["sampling", call("sample", { prompt: "2+2" })],
  ["elicitation", call("elicit")],
  [
    "completion",
    (client) =>
      client.complete({ ref: { type: "ref/prompt", name: "greet" }, argument: { name: "name", value: "a" } }),
  ],
  [
    "completion of a template",
    (client) =>
      client.complete({
        ref: { type: "ref/resource", uri: "note://{id}" },
        argument: { name: "id", value: "o" },
      }),
  ],
  ["subscribe", (client) => client.subscribeResource({ uri: "note://one" })],
  ["changes", async (client, transcript) => {
    await call("change")(client, transcript);
    await Promise.all([
      transcript.heard("notifications/tools/list_changed"),
      transcript.heard("notifications/resources/updated"),
    ]);
  }],
  ["unsubscribe", (client) => client.unsubscribeResource({ uri: "note://one" })],
  ["roots changed", (client) => client.sendRootsListChanged()],
  [
    "unknown request",
    (client) =>
      client instanceof ClientV1
        ? client.request({ method: "custom/thing", params: { a: 1 } } as never, v1.ResultSchema)
        : client.request({ method: "custom/thing", params: { a: 1 } }, z.looseObject({})),
  ],
  [
    "unknown notification",
    (client) => client.notification({ method: "notifications/custom", params: { b: [1, null] } }),
  ],
  ["still there", (client) => client.ping()],
];

async function transcriptOf(client: AnyClient, transport: AnyTransport, steps: Step[]): Promise<Transcript> {
  const transcript = recordTranscript(transport);
  await client.connect(transport);
  for (const [name, run] of steps) {
    transcript.step(name);
    await run(client, transcript).catch(() => {});
  }
  await client.close();
  return transcript;
}

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
