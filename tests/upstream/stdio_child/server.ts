/** The test server of the session revisions, on stdio: what a user would have in a host's configuration. */
// @ts-types="@modelcontextprotocol/sdk/server/stdio"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { legacyServer } from "../../fakes/upstream_legacy.ts";

console.error("the server starts");
const { mcp } = legacyServer({ name: "on-stdio", instructions: "Be kind", headers: {}, claims: undefined });
await mcp.connect(new StdioServerTransport());
