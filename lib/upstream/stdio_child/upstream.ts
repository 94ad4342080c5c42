/**
 * An upstream that speaks MCP on stdio only: one child for each session, served as streamable HTTP is.
 *
 *     POST initialize          -> a new child and session id -> its answer as events
 *     POST a request           -> a line to the child -> events until it is answered
 *     POST anything else       -> a line to the child -> 202
 *     GET                      -> what the child says of itself
 *     DELETE, idle for long,
 *     or the child ended       -> the session is over: 404 from then on
 *
 * Who owns a session id is checked before a request gets here. A request without a session, as the stateless revision
 * makes them, is refused with 400, upon which clients fall back to the revisions with sessions.
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { UpstreamConfig } from "../config.ts";
import {
  type HeaderList,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "../upstream.ts";
import { type Heard, onOneLine, readMessages } from "./message.ts";
import { ChildSession } from "./session.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const sweepMs = 15_000;

type Config = Extract<UpstreamConfig, { kind: "spawn_stdio" }>;

interface Open {
  readonly session: ChildSession;
  usedMs: number;
}

/** Starts nothing yet. */
export class StdioChildUpstream implements Upstream {
  readonly #sessions = new Map<string, Open>();
  readonly #ending = new AbortController();
  readonly #sweeping: Promise<void>;
  /** Children on their way out; none is left behind when we go. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(
    private readonly config: Config,
    private readonly context: { readonly log: Logger; readonly clock: Clock },
  ) {
    this.#sweeping = this.#sweep();
  }

  async forward(request: UpstreamRequest): Promise<UpstreamResponse> {
    if (request.suffix !== "" && !request.suffix.startsWith("?")) {
      return failure(404, -32_600, "There is nothing here");
    }
    const id = headerIn(request, "mcp-session-id");
    const open = id === undefined ? undefined : this.#sessions.get(id);
    if (id !== undefined && open === undefined) return failure(404, -32_600, "Session not found");
    if (open !== undefined) open.usedMs = this.context.clock.now();
    switch (request.method) {
      case "POST":
        return await this.#post(request, open?.session);
      case "GET":
        return open === undefined ? failure(400, -32_600, needsSession) : events(open.session.listen());
      case "DELETE":
        if (id === undefined) return failure(400, -32_600, needsSession);
        await this.#end(id);
        return { status: 200, headers: [], body: null };
      default:
        return failure(405, -32_600, "Only GET, POST and DELETE are known here");
    }
  }

  ready(): Promise<boolean> {
    return Promise.resolve(!this.#ending.signal.aborted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#sweeping;
    for (const id of this.#sessions.keys()) void this.#end(id);
    await Promise.all(this.#leaving);
  }

  async #post(request: UpstreamRequest, known: ChildSession | undefined): Promise<UpstreamResponse> {
    const text = await textOf(request);
    const messages = text === undefined ? undefined : readMessages(text);
    if (text === undefined || messages === undefined) {
      return failure(400, -32_700, "The request is no JSON-RPC message");
    }
    const requests = messages.filter(({ id, method }) => id !== undefined && method !== undefined);
    const line = onOneLine(text);
    if (known !== undefined) return await this.#pass(known, line, requests);
    if (messages[0]?.method !== "initialize") return failure(400, -32_600, needsSession);
    if (this.#sessions.size >= this.config.maxSessions) {
      const answer = failure(503, -32_000, "Too many sessions; try again later", messages[0].id);
      return { ...answer, headers: [...answer.headers, ["retry-after", "30"]] };
    }
    const { id, session } = this.#begin();
    const answer = await this.#pass(session, line, requests);
    return { ...answer, headers: [...answer.headers, ["mcp-session-id", id]] };
  }

  async #pass(session: ChildSession, line: string, requests: readonly Heard[]): Promise<UpstreamResponse> {
    const again = requests.find(({ id }) => session.isAsking(id ?? ""));
    if (again !== undefined) return failure(400, -32_600, "A request of this id is under way", again.id);
    if (requests.length > 0) return events(await session.ask(line, requests));
    await session.tell(line);
    return { status: 202, headers: [], body: null };
  }

  #begin(): { id: string; session: ChildSession } {
    const { log, clock } = this.context;
    const { command, withheldVariables, maxLineLength } = this.config;
    const session = new ChildSession({ command, withheld: withheldVariables, maxLineLength, log }, log);
    const id = crypto.randomUUID();
    this.#sessions.set(id, { session, usedMs: clock.now() });
    void session.ended.then(() => this.#sessions.delete(id));
    return { id, session };
  }

  async #end(id: string): Promise<void> {
    const open = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (open === undefined) return;
    const leaving = open.session.end().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    await leaving;
  }

  /** Ends sessions that nobody has used for long. */
  async #sweep(): Promise<void> {
    const { clock, log } = this.context;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await clock.sleep(sweepMs, signal).catch(() => {});
      const now = clock.now();
      for (const [id, open] of this.#sessions) {
        if (!open.session.idle) open.usedMs = now;
        if (now - open.usedMs < this.config.idleMs) continue;
        log.info("upstream_session_idle", { count: this.#sessions.size });
        void this.#end(id);
      }
    }
  }
}

const needsSession =
  "This server keeps sessions: begin with initialize and send the Mcp-Session-Id that it answers with";

function headerIn({ headers }: UpstreamRequest, name: string): string | undefined {
  return headers.find(([other]) => other.toLowerCase() === name)?.[1];
}

async function textOf({ body }: UpstreamRequest): Promise<string | undefined> {
  if (body === null) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = body instanceof Uint8Array ? body : await new Response(body).bytes();
  } catch (error) {
    throw new UpstreamError("client_gone", "the request broke off", error);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function events(body: ReadableStream<Uint8Array>): UpstreamResponse {
  const headers: HeaderList = [["content-type", "text/event-stream"]];
  return { status: 200, headers, body };
}

function failure(status: number, code: number, message: string, id = "null"): UpstreamResponse {
  const text = `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${JSON.stringify(message)}}}`;
  return { status, headers: [["content-type", "application/json"]], body: encoder.encode(text) };
}
