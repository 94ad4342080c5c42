// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** A client that answers what a server asks: sampling with `sampled: …`, elicitation with the name `doorman`. */
export function talkativeClient(): Client {
  const client = new Client({ name: "talkative", version: "1.0.0" }, {
    capabilities: { sampling: {}, elicitation: {} },
  });
  client.setRequestHandler(CreateMessageRequestSchema, (request) => ({
    model: "none",
    role: "assistant" as const,
    content: {
      type: "text" as const,
      text: `sampled: ${JSON.stringify(request.params.messages[0]?.content)}`,
    },
  }));
  client.setRequestHandler(
    ElicitRequestSchema,
    () => ({ action: "accept" as const, content: { name: "doorman" } }),
  );
  return client;
}

/** Calls back with the address of each resource that the server says has changed. */
export function onResourceUpdated(client: Client, seen: (uri: string) => void): void {
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => seen(params.uri));
}
