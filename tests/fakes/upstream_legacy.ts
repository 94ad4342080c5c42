// @ts-types="@modelcontextprotocol/sdk/server/completable"
import { completable } from "@modelcontextprotocol/sdk/server/completable.js";
// @ts-types="@modelcontextprotocol/sdk/server/mcp"
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { bigText, text } from "./upstream_parts.ts";

/** What a server says of itself and of the request at hand; changed in place at each request of a session. */
export interface ServerFacts {
  readonly name: string;
  readonly instructions: string | undefined;
  headers: Record<string, string>;
  claims: Record<string, unknown> | undefined;
}

/** A server of the session revisions, with a tool for each thing that a proxy could break. */
export function legacyServer(facts: ServerFacts): { mcp: McpServer; facts: ServerFacts } {
  const mcp = new McpServer({ name: facts.name, version: "1.2.3" }, {
    capabilities: {
      logging: {},
      resources: { subscribe: true, listChanged: true },
      tools: { listChanged: true },
    },
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
  });

  mcp.registerTool(
    "echo",
    { description: "Gives back its text", inputSchema: { text: z.string() } },
    (args) => text(args.text),
  );
  mcp.registerTool(
    "whoami",
    { description: "The headers of this request and, when the server validates tokens, their claims" },
    () => text(JSON.stringify({ headers: facts.headers, claims: facts.claims ?? null })),
  );
  mcp.registerTool(
    "claims",
    { description: "The claims of the token that this request came with" },
    () => text(JSON.stringify(facts.claims ?? null)),
  );
  mcp.registerTool(
    "slow",
    {
      description: "Works in steps and reports progress",
      inputSchema: { steps: z.number().default(3), delayMs: z.number().default(10) },
    },
    async ({ steps, delayMs }, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (let step = 1; step <= steps; step++) {
        if (progressToken !== undefined) {
          await extra.sendNotification({
            method: "notifications/progress",
            params: { progressToken, progress: step, total: steps, message: `step ${step}` },
          });
        }
        // After, not before: the version 1 client drops a progress that comes in one piece with the result.
        await pause(delayMs, extra.signal);
      }
      return text(`done in ${steps} steps`);
    },
  );
  mcp.registerTool(
    "big",
    { description: "As many characters as asked for", inputSchema: { bytes: z.number() } },
    ({ bytes }) => text(bigText(bytes)),
  );
  mcp.registerTool(
    "log",
    { description: "Sends log messages", inputSchema: { count: z.number().default(1) } },
    async ({ count }, extra) => {
      for (let n = 1; n <= count; n++) {
        await extra.sendNotification({
          method: "notifications/message",
          params: { level: "info", data: `line ${n}` },
        });
      }
      return text(`${count} lines`);
    },
  );
  mcp.registerTool(
    "sample",
    { description: "Asks the client's model", inputSchema: { prompt: z.string() } },
    async ({ prompt }) => {
      const answer = await mcp.server.createMessage({
        messages: [{ role: "user", content: { type: "text", text: prompt } }],
        maxTokens: 10,
      });
      return text(JSON.stringify(answer.content));
    },
  );
  mcp.registerTool("elicit", { description: "Asks the user for a name" }, async () => {
    const answer = await mcp.server.elicitInput({
      message: "Who are you?",
      requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    });
    return text(JSON.stringify(answer));
  });
  mcp.registerTool("fail", { description: "Always fails" }, () => {
    throw new Error("it failed");
  });
  mcp.registerTool("change", { description: "Announces changes on the GET stream" }, async () => {
    await mcp.server.sendResourceUpdated({ uri: "note://one" });
    mcp.sendToolListChanged();
    return text("announced");
  });

  mcp.registerResource(
    "one",
    "note://one",
    { mimeType: "text/plain" },
    () => ({ contents: [{ uri: "note://one", text: "the first note" }] }),
  );
  mcp.registerResource(
    "note",
    new ResourceTemplate("note://{id}", { list: undefined, complete: { id: () => ["one", "two"] } }),
    { mimeType: "text/plain" },
    (uri) => ({ contents: [{ uri: uri.href, text: `note ${uri.host}` }] }),
  );
  mcp.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  mcp.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  mcp.registerPrompt(
    "greet",
    {
      description: "A greeting",
      argsSchema: {
        name: completable(z.string(), (start) => ["alice", "bob"].filter((n) => n.startsWith(start))),
      },
    },
    ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Greet ${name}` } }] }),
  );
  return { mcp, facts };
}

/** Waits; rejects when the call is cancelled. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
