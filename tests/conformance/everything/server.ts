/**
 * An MCP server with a fixture for each server scenario of the conformance suite: sessions of the older revisions and
 * stateless requests of 2026-07-28 on one endpoint, and no request whose Host or Origin is not of this machine.
 */
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { addAskingTools } from "./asking.ts";
import { eventStore } from "./event_store.ts";
import { addPrompts, addResources } from "./resources.ts";
import { addRounds, stateCodec } from "./rounds.ts";
import { addTools, type Changes } from "./tools.ts";

export interface EverythingServer extends AsyncDisposable {
  /** `http://localhost:<port>/mcp` */
  readonly url: string;
}

function makeServer(era: "legacy" | "modern", changes: Changes): McpServer {
  const mcp = new McpServer({ name: "everything", version: "1.0.0" }, {
    capabilities: {
      logging: {},
      completions: {},
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
    },
    requestState: { verify: stateCodec.verify },
  });
  addTools(mcp, changes);
  addResources(mcp);
  addPrompts(mcp);
  addRounds(mcp);
  if (era === "legacy") {
    addAskingTools(mcp);
    mcp.server.setRequestHandler("resources/subscribe", () => ({}));
    mcp.server.setRequestHandler("resources/unsubscribe", () => ({}));
  }
  return mcp;
}

/** Starts it on a free port of the loopback interface. */
export function startEverything(): EverythingServer {
  const sessions = new Map<string, { mcp: McpServer; transport: WebStandardStreamableHTTPServerTransport }>();
  const changes: Changes = {
    tools() {
      modern.notify.toolsChanged();
    },
    prompts() {
      modern.notify.promptsChanged();
    },
  };
  const modern = createMcpHandler(() => makeServer("modern", changes), { legacy: "reject" });

  async function answer(request: Request): Promise<Response> {
    const refusal = hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refusal !== undefined) return refusal;
    if (new URL(request.url).pathname !== "/mcp") return new Response(null, { status: 404 });
    if (request.method === "POST" && !await isLegacyRequest(request)) return await modern.fetch(request);
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? await newSession() : sessions.get(id);
    if (session !== undefined) return await session.transport.handleRequest(request);
    const error = { code: -32001, message: "Session not found" };
    return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 404 });
  }

  async function newSession() {
    const mcp = makeServer("legacy", changes);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      eventStore: eventStore(),
      retryInterval: 200,
      onsessioninitialized: (id) => {
        sessions.set(id, { mcp, transport });
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    await mcp.connect(transport);
    return { mcp, transport };
  }

  const stop = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    onListen: () => {},
  }, answer);
  return {
    url: `http://localhost:${server.addr.port}/mcp`,
    async [Symbol.asyncDispose]() {
      for (const { mcp } of sessions.values()) await mcp.close();
      await modern.close();
      stop.abort();
      await server.finished.catch(() => {});
    },
  };
}
