/** Tools that answer at once, or that report on the way. */
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  fromJsonSchema,
  inputRequired,
  type McpServer,
} from "@modelcontextprotocol/server";
import { png, wav } from "./media.ts";

/** What the tools may announce to every client that listens. */
export interface Changes {
  tools(): void;
  prompts(): void;
}

export const text = (words: string): CallToolResult => ({ content: [{ type: "text", text: words }] });

/** What the client can do, by the request's own word; the SDK gives the envelope no member types. */
export function declaredCapabilities(envelope: object | undefined): ClientCapabilities {
  const members = envelope as Record<string, ClientCapabilities | undefined> | undefined;
  return members?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

/** A request to the client's model, as a part of an answer that needs more input. */
export const sampling = (words: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: words } }],
    maxTokens,
  });

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Registers the tools of the suite's `tools-call-*` and `server-*` scenarios. */
export function addTools(mcp: McpServer, changes: Changes): void {
  const simple = (name: string, description: string, result: CallToolResult) =>
    mcp.registerTool(name, { description }, () => result);
  const image = { type: "image" as const, data: png, mimeType: "image/png" };
  simple("test_simple_text", "Text", text("This is a simple text response for testing."));
  simple("test_image_content", "A picture", { content: [image] });
  simple("test_audio_content", "A sound", { content: [{ type: "audio", data: wav, mimeType: "audio/wav" }] });
  simple("test_embedded_resource", "A resource inside the answer", {
    content: [{
      type: "resource",
      resource: {
        uri: "test://embedded-resource",
        mimeType: "text/plain",
        text: "This is an embedded resource content.",
      },
    }],
  });
  simple("test_multiple_content_types", "Text, a picture and a resource", {
    content: [{ type: "text", text: "Multiple content types test:" }, image, {
      type: "resource",
      resource: {
        uri: "test://mixed-content-resource",
        mimeType: "application/json",
        text: '{"test":"data","value":123}',
      },
    }],
  });
  mcp.registerTool("test_error_handling", { description: "Always fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });

  mcp.registerTool("test_tool_with_logging", { description: "Three log messages" }, async (context) => {
    for (const line of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await context.mcpReq.log("info", line);
      await pause(50);
    }
    return text("Three lines were logged");
  });
  mcp.registerTool("test_logging_tool", { description: "One log message" }, async (context) => {
    await context.mcpReq.log("info", "one line");
    return text("One line was logged");
  });
  mcp.registerTool("test_tool_with_progress", { description: "Three steps" }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await context.mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: 100 },
        });
      }
      await pause(50);
    }
    return text("Three steps were made");
  });
  mcp.registerTool(
    "test_reconnection",
    { description: "Ends its stream before it answers" },
    async (context) => {
      context.http?.closeSSE?.();
      await pause(100);
      return text("Answered after the stream was closed");
    },
  );

  mcp.registerTool(
    "test_missing_capability",
    { description: "Needs a client that samples" },
    () => inputRequired({ inputRequests: { answer: sampling("Anything", 10) } }),
  );
  mcp.registerTool("test_trigger_tool_change", { description: "Says that the tools changed" }, () => {
    changes.tools();
    return text("announced");
  });
  mcp.registerTool("test_trigger_prompt_change", { description: "Says that the prompts changed" }, () => {
    changes.prompts();
    return text("announced");
  });
  mcp.registerTool("test_x_mcp_header", {
    description: "Its region comes in a header too",
    inputSchema: fromJsonSchema<{ region?: string }>(
      {
        type: "object",
        properties: { region: { type: "string", "x-mcp-header": "Region" } },
      } as Parameters<typeof fromJsonSchema>[0],
    ),
  }, ({ region }) => text(`region ${region}`));
  mcp.registerTool("json_schema_2020_12_tool", {
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: fromJsonSchema(richSchema as Parameters<typeof fromJsonSchema>[0]),
  }, () => text("valid"));
}

const richSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};
