/** Resources and prompts. */
import { completable, type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { z } from "zod";
import { png } from "./media.ts";

/** Registers the resources, and lets any of them be watched. */
export function addResources(mcp: McpServer): void {
  const words = "This is the content of the static text resource.";
  mcp.registerResource(
    "static-text",
    "test://static-text",
    { description: "A text", mimeType: "text/plain" },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: words }] }),
  );
  mcp.registerResource(
    "static-binary",
    "test://static-binary",
    { description: "A picture", mimeType: "image/png" },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: "image/png", blob: png }] }),
  );
  mcp.registerResource(
    "watched-resource",
    "test://watched-resource",
    { description: "May be subscribed to", mimeType: "text/plain" },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: "watched" }] }),
  );
  mcp.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { description: "A resource by id", mimeType: "application/json" },
    (uri, { id }) => ({
      contents: [{
        uri: uri.href,
        mimeType: "application/json",
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      }],
    }),
  );
}

/** Registers the prompts. */
export function addPrompts(mcp: McpServer): void {
  const user = (words: string) => ({
    role: "user" as const,
    content: { type: "text" as const, text: words },
  });
  mcp.registerPrompt(
    "test_simple_prompt",
    { description: "A prompt" },
    () => ({ messages: [user("This is a simple prompt for testing.")] }),
  );
  mcp.registerPrompt("test_prompt_with_arguments", {
    description: "A prompt with two arguments",
    argsSchema: z.object({
      arg1: completable(
        z.string().describe("First test argument"),
        (start) => ["paris", "park", "party"].filter((word) => word.startsWith(start)),
      ),
      arg2: z.string().describe("Second test argument"),
    }),
  }, ({ arg1, arg2 }) => ({ messages: [user(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }));
  mcp.registerPrompt("test_prompt_with_embedded_resource", {
    description: "A prompt with a resource inside",
    argsSchema: z.object({ resourceUri: z.string().describe("URI of the resource to embed") }),
  }, ({ resourceUri }) => ({
    messages: [
      {
        role: "user",
        content: {
          type: "resource",
          resource: {
            uri: resourceUri,
            mimeType: "text/plain",
            text: "Embedded resource content for testing.",
          },
        },
      },
      user("Please process the embedded resource above."),
    ],
  }));
  mcp.registerPrompt("test_prompt_with_image", { description: "A prompt with a picture" }, () => ({
    messages: [
      { role: "user", content: { type: "image", data: png, mimeType: "image/png" } },
      user("Please analyze the image above."),
    ],
  }));
}
