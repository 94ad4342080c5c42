import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ServerFacts } from "./upstream_legacy.ts";
import { bigText, text } from "./upstream_parts.ts";

/** A server of the stateless revision (2026-07-28); made anew for each request. */
export function modernServer(facts: ServerFacts): McpServer {
  const mcp = new McpServer({ name: facts.name, version: "1.2.3" }, {
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
  });
  mcp.registerTool(
    "echo",
    { description: "Gives back its text", inputSchema: z.object({ text: z.string() }) },
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
      inputSchema: z.object({ steps: z.number().default(3), delayMs: z.number().default(10) }),
    },
    async ({ steps, delayMs }, context) => {
      const progressToken = context.mcpReq._meta?.progressToken;
      for (let step = 1; step <= steps; step++) {
        if (progressToken !== undefined) {
          await context.mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken, progress: step, total: steps },
          });
        }
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
      return text(`done in ${steps} steps`);
    },
  );
  mcp.registerTool(
    "big",
    { description: "As many characters as asked for", inputSchema: z.object({ bytes: z.number() }) },
    ({ bytes }) => text(bigText(bytes)),
  );
  mcp.registerTool("fail", { description: "Always fails" }, () => {
    throw new Error("it failed");
  });
  mcp.registerResource(
    "one",
    "note://one",
    { mimeType: "text/plain" },
    () => ({ contents: [{ uri: "note://one", text: "the first note" }] }),
  );
  mcp.registerPrompt(
    "greet",
    { description: "A greeting", argsSchema: z.object({ name: z.string() }) },
    ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Greet ${name}` } }] }),
  );
  return mcp;
}
