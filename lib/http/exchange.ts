import type { Caller } from "../oauth/caller.ts";
import type { Sifted } from "../upstream/headers.ts";
import type { Incoming } from "./incoming.ts";
import type { PassingPeek } from "./passing_peek.ts";
import { type Peek, peek } from "./peek.ts";
import type { Target } from "./target.ts";

/** One request on its way through the server, and what became known about it. */
export class Exchange {
  /** `performance.now()` at arrival. */
  readonly startedMs = performance.now();
  /** Which part of the surface answers: `mcp`, `healthz`, an endpoint's name, or `none`. */
  route = "none";
  caller: Caller | undefined = undefined;
  peek: Peek | undefined = undefined;
  /** A small body that was not looked into; for what turns out to be needed of it later. */
  body: Uint8Array | undefined = undefined;
  /** Of a body that is passed on as it comes: what it has said. */
  passing: PassingPeek | undefined = undefined;
  /** Bytes of the request's body; -1 while unknown. */
  requestBytes = -1;
  /** Bytes of the answer's body, as far as they were counted. */
  responseBytes = 0;
  /** What the upstream answered, where it did. */
  upstreamStatus: number | undefined = undefined;
  /** A word for the log when the answer is a refusal or a failure. */
  reason: string | undefined = undefined;
  /** The answer is a stream: its end writes the log line. */
  streaming = false;

  constructor(
    /** Not to be read once the answer is out: the listener has let go of it by then. */
    readonly request: Incoming,
    readonly method: string,
    readonly headers: Sifted,
    readonly target: Target,
    /** The peer, or the client that a trusted proxy names. */
    readonly address: string,
    /** Our own id; one from outside is never believed. */
    readonly id: string,
  ) {}
}

/** What the request's body says, also where the log is not to know; `undefined` where it is not at hand. */
export function peekLate({ peek: seen, body, passing }: Exchange): Peek | undefined {
  return seen ?? (body === undefined ? passing?.get() : peek(body));
}

/**
 * Whether the answer is a stream that stands for as long as its token lives, and waits for nothing. Where a body says
 * nothing, the header that has to say the same (MCP 2026-07-28) decides: whoever sends another one is refused behind us.
 */
export function isStanding(exchange: Exchange): boolean {
  if (exchange.method === "GET") return true;
  const named = exchange.headers.goOn.find(([name]) => name === "mcp-method")?.[1];
  return (peekLate(exchange)?.method ?? named) === "subscriptions/listen";
}
