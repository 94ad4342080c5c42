/**
 * A real MCP server on loopback: the version 1 SDK for the session revisions and the version 2 SDK for the stateless
 * one, on one endpoint. It remembers what it received, so that a test can see what a proxy passed on.
 */
import { createMcpHandler, isLegacyRequest } from "@modelcontextprotocol/server";
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from "jose";
import { legacyServer, type ServerFacts } from "./upstream_legacy.ts";
import { modernServer } from "./upstream_modern.ts";
import { keepCarried } from "../support/secrets.ts";

export interface UpstreamOptions {
  /** Which protocol eras are served; default `both`. */
  eras?: "both" | "legacy" | "modern";
  /** Answers POST with one JSON document instead of an event stream. */
  json?: boolean;
  /** Where MCP is served; default `/mcp`. */
  path?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  hostname?: string;
  /**
   * Only bearer JWTs of this issuer are let in; 401 with a challenge that names the resource metadata otherwise.
   * `audience` default: anything. `metadata: false` leaves the RFC 9728 document and its link out.
   */
  validating?: { issuer: string; jwksUrl?: string; audience?: string; scopes?: string[]; metadata?: boolean };
  /** Any other check, before everything else; a response is sent instead. */
  check?: (request: Request) => Response | undefined | Promise<Response | undefined>;
  /** Words for the `initialize` answer. */
  name?: string;
  instructions?: string;
}

/** One request as it came; `body` is empty when larger than 1 MB. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly bodyBytes: number;
  /** `method` of the JSON-RPC message in the body. */
  readonly rpcMethod: string | undefined;
}

export interface TestUpstream extends AsyncDisposable {
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  /** Everything that arrived, oldest first. */
  readonly received: Received[];
  /** The last request that called this JSON-RPC method. */
  last(rpcMethod: string): Received | undefined;
  /** Session ids that are open. */
  readonly sessions: ReadonlySet<string>;
  /** Forgets all sessions, as a restart does: their ids are answered with 404. */
  forgetSessions(): Promise<void>;
  /** Tells every open session that its tools changed. */
  toolsChanged(): Promise<void>;
  /** Stops listening, as a server that is down; `up` listens on the same port again, without the old sessions. */
  down(): Promise<void>;
  up(): Promise<void>;
}

type Session = {
  transport: WebStandardStreamableHTTPServerTransport;
  server: ReturnType<typeof legacyServer>;
};

export function startUpstream(options: UpstreamOptions = {}): TestUpstream {
  const path = options.path ?? "/mcp";
  const received: Received[] = [];
  const sessions = new Map<string, Session>();
  const ids = new Set<string>();
  const modern = createMcpHandler((context) => modernServer(facts(context.requestInfo)), {
    legacy: "reject",
  });
  const { validating } = options;
  const keys = validating === undefined
    ? undefined
    : createRemoteJWKSet(new URL(validating.jwksUrl ?? `${validating.issuer}/jwks`));
  const claims = new WeakMap<Request, JWTPayload>();

  function facts(request: Request | undefined): ServerFacts {
    return {
      name: options.name ?? "test-upstream",
      instructions: options.instructions,
      headers: request === undefined ? {} : Object.fromEntries(request.headers),
      claims: request === undefined ? undefined : claims.get(request),
    };
  }

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = request.method === "POST" ? await request.text() : "";
    keepCarried(request.headers, text.length > 1_000_000 ? "" : text);
    received.push({
      method: request.method,
      url: request.url,
      path: url.pathname + url.search,
      headers: new Headers(request.headers),
      body: text.length > 1_000_000 ? "" : text,
      bodyBytes: text.length,
      rpcMethod: /"method"\s*:\s*"([^"]+)"/.exec(text.slice(0, 100_000))?.[1],
    });
    const refusal = await options.check?.(request);
    if (refusal !== undefined) return refusal;
    if (url.pathname === `/.well-known/oauth-protected-resource${path}` && validating?.metadata !== false) {
      return validating === undefined ? new Response(null, { status: 404 }) : resourceMetadata();
    }
    if (url.pathname !== path) return new Response("Not found", { status: 404 });
    const again = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.method === "POST" ? { body: text } : {}),
    });
    if (validating !== undefined) {
      const found = await verify(request);
      if (found === undefined) return challenge();
      claims.set(again, found);
    }
    return await serve(again);
  }

  async function serve(request: Request): Promise<Response> {
    const eras = options.eras ?? "both";
    if (eras === "modern") return await modern.fetch(request);
    if (eras === "both" && request.method === "POST" && !await isLegacyRequest(request)) {
      return await modern.fetch(request);
    }
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      const session = sessions.get(id);
      if (session === undefined) {
        return Response.json({
          jsonrpc: "2.0",
          id: null,
          error: { code: -32001, message: "Session not found" },
        }, {
          status: 404,
        });
      }
      session.server.facts.headers = Object.fromEntries(request.headers);
      session.server.facts.claims = claims.get(request);
      return await session.transport.handleRequest(request);
    }
    const server = legacyServer(facts(request));
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      enableJsonResponse: options.json ?? false,
      keepAliveMs: 0,
      onsessioninitialized: (made) => {
        sessions.set(made, { transport, server });
        ids.add(made);
      },
      onsessionclosed: (closed) => {
        sessions.delete(closed);
        ids.delete(closed);
      },
    });
    await server.mcp.connect(transport as Parameters<typeof server.mcp.connect>[0]);
    return await transport.handleRequest(request);
  }

  async function verify(request: Request): Promise<JWTPayload | undefined> {
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined || keys === undefined || validating === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: validating.issuer,
        ...(validating.audience === undefined ? {} : { audience: validating.audience }),
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  function challenge(): Response {
    const link = `${origin}/.well-known/oauth-protected-resource${path}`;
    const scope = validating?.scopes === undefined ? "" : `, scope="${validating.scopes.join(" ")}"`;
    const value = validating?.metadata === false ? "Bearer" : `Bearer resource_metadata="${link}"${scope}`;
    return new Response(null, { status: 401, headers: { "www-authenticate": value } });
  }

  function resourceMetadata(): Response {
    return Response.json({
      resource: origin + path,
      authorization_servers: [validating?.issuer],
      scopes_supported: validating?.scopes ?? ["openid", "profile", "email"],
      bearer_methods_supported: ["header"],
    });
  }

  function listen(port: number) {
    const cut = new AbortController();
    const made = Deno.serve({
      hostname: options.hostname ?? "127.0.0.1",
      port,
      signal: cut.signal,
      onListen: () => {},
    }, answer);
    const finished = made.finished.catch(() => {});
    return {
      port: made.addr.port,
      async close() {
        cut.abort();
        await finished;
      },
    };
  }

  async function forgetSessions(): Promise<void> {
    const open = [...sessions.values()];
    sessions.clear();
    ids.clear();
    for (const session of open) await session.server.mcp.close();
  }

  async function stop(): Promise<void> {
    await forgetSessions();
    await server.close();
  }

  let server = listen(options.port ?? 0);
  const { port } = server;
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: origin + path,
    origin,
    port,
    received,
    last: (rpcMethod) => received.findLast((request) => request.rpcMethod === rpcMethod),
    sessions: ids,
    forgetSessions,
    async toolsChanged() {
      for (const session of sessions.values()) await session.server.mcp.server.sendToolListChanged();
      modern.notify.toolsChanged();
    },
    down: stop,
    up() {
      server = listen(port);
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      await modern.close();
      await stop();
    },
  };
}
