/** Tools of the session revisions that ask the client while they work. */
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { text } from "./tools.ts";

/** Registers them. */
export function addAskingTools(mcp: McpServer): void {
  mcp.registerTool("test_sampling", {
    description: "Asks the client's model",
    inputSchema: z.object({ prompt: z.string() }),
  }, async ({ prompt }, context) => {
    const { content } = await context.mcpReq.requestSampling({
      messages: [{ role: "user", content: { type: "text", text: prompt } }],
      maxTokens: 100,
    });
    const words = "text" in content ? content.text : JSON.stringify(content);
    return text(`LLM response: ${words}`);
  });

  const ask = (
    name: string,
    schema: Parameters<Parameters<Parameters<McpServer["registerTool"]>[2]>[1]["mcpReq"]["elicitInput"]>[0],
  ) =>
    mcp.registerTool(name, { description: "Asks the user" }, async (context) => {
      const { action, content } = await context.mcpReq.elicitInput(schema);
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`);
    });
  mcp.registerTool("test_elicitation", {
    description: "Asks the user for a name and an address",
    inputSchema: z.object({ message: z.string() }),
  }, async ({ message }, context) => {
    const { action, content } = await context.mcpReq.elicitInput({
      message,
      requestedSchema: {
        type: "object",
        properties: {
          username: { type: "string", description: "User's response" },
          email: { type: "string", description: "User's email address" },
        },
        required: ["username", "email"],
      },
    });
    return text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`);
  });
  ask("test_elicitation_sep1034_defaults", {
    message: "Please look at the defaults",
    requestedSchema: {
      type: "object",
      properties: {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      },
    },
  });
  const three = ["option1", "option2", "option3"];
  const titled = (word: string) =>
    ["First", "Second", "Third"].map((nth, index) => ({
      const: `value${index + 1}`,
      title: `${nth} ${word}`,
    }));
  ask("test_elicitation_sep1330_enums", {
    message: "Please choose",
    requestedSchema: {
      type: "object",
      properties: {
        untitledSingle: { type: "string", enum: three },
        titledSingle: { type: "string", oneOf: titled("Option") },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti: { type: "array", items: { type: "string", enum: three } },
        titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
      },
    },
  });
}
