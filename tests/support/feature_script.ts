/** The SDKs' clients, what they do with every feature of the test server, and a record of what passes meanwhile. */
import { Client as ClientV2 } from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import * as v1 from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { type AnyTransport, recordTranscript, type Transcript } from "./pump_transport.ts";

// deno-lint-ignore no-explicit-any -- the two SDKs have types of their own for the same thing
export type AnyClient = any;

const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} };
const info = { name: "transcript-host", version: "3.2.1" };
const sampled = { role: "assistant", model: "m", content: { type: "text", text: "four" } };
const elicited = { action: "accept", content: { name: "Ada" } };
const roots = { roots: [{ uri: "file:///x", name: "x" }] };

/** A client of version 1 that answers whatever a server asks. */
export function clientV1(): AnyClient {
  const client = new ClientV1(info, { capabilities });
  client.setRequestHandler(v1.CreateMessageRequestSchema, () => sampled as v1.CreateMessageResult);
  client.setRequestHandler(v1.ElicitRequestSchema, () => elicited as v1.ElicitResult);
  client.setRequestHandler(v1.ListRootsRequestSchema, () => roots);
  return client;
}

/** The same of version 2; `modern`: it speaks 2026-07-28 and nothing else. */
export function clientV2(modern: boolean): AnyClient {
  const client: AnyClient = new ClientV2(info, {
    capabilities,
    ...(modern ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {}),
  });
  client.setRequestHandler("sampling/createMessage", () => sampled);
  client.setRequestHandler("elicitation/create", () => elicited);
  client.setRequestHandler("roots/list", () => roots);
  return client;
}

/** One thing that a client does. */
export type Step = [name: string, run: (client: AnyClient, transcript: Transcript) => Promise<unknown>];

const call = (name: string, args: Record<string, unknown> = {}, options?: unknown): Step[1] => (client) =>
  client instanceof ClientV1
    ? client.callTool({ name, arguments: args }, undefined, options as object)
    : client.callTool({ name, arguments: args }, options);

/** What both eras have. */
export const common: Step[] = [
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

/** Every feature of the revisions with sessions. */
export const session: Step[] = [
  ...common,
  ["ping", (client) => client.ping()],
  ["templates", (client) => client.listResourceTemplates()],
  ["template", (client) => client.readResource({ uri: "note://two" })],
  ["log level", (client) => client.setLoggingLevel("debug")],
  ["logs", async (client, transcript) => {
    await call("log", { count: 3 })(client, transcript);
    // On a stream of their own they may come after the answer.
    await transcript.heard("line 3");
  }],
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

/** Connects, takes the steps and closes; a step that fails is part of the record. */
export async function transcriptOf(
  client: AnyClient,
  transport: AnyTransport,
  steps: readonly Step[],
): Promise<Transcript> {
  const transcript = recordTranscript(transport);
  await client.connect(transport);
  for (const [name, run] of steps) {
    transcript.step(name);
    await run(client, transcript).catch(() => {});
  }
  await client.close();
  return transcript;
}
