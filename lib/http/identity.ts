/**
 * The configured name, version, instructions and website in place of the upstream's, in the answer to `initialize`
 * (`result.serverInfo`, `result.instructions`) and to `server/discover`. Every other answer stays as it came.
 */
import type { Peek } from "./peek.ts";

/** What a client is shown; unset members stay the upstream's. */
export interface ServerIdentity {
  readonly name?: string;
  readonly version?: string;
  readonly instructions?: string;
  readonly websiteUrl?: string;
}

/** Rewrites the answers that introduce the server. */
export interface IdentityRewrite {
  /** Whether the answer to this request introduces the server. */
  wants(peek: Peek | undefined): boolean;
  /** The answer as JSON, rewritten; as it came when it is something else. */
  json(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** The answer as events: the one event that carries it is rewritten. */
  events(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>;
}

const introductions = new Set(["initialize", "server/discover"]);
/** An introduction larger than this passes as it came. */
const maxEventBytes = 1_048_576;

/** `undefined` when nothing is to be rewritten. */
export function identityRewrite(identity: ServerIdentity): IdentityRewrite | undefined {
  if (Object.values(identity).every((value) => value === undefined)) return undefined;
  return {
    wants: (peek) => peek?.method !== undefined && !peek.batch && introductions.has(peek.method),
    json: (body) => {
      const text = new TextDecoder().decode(body);
      const rewritten = rewrite(text, identity);
      return rewritten === text ? body : new TextEncoder().encode(rewritten);
    },
    events: (body) => rewriteEvents(body, identity),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The message with our members in it; unchanged unless it is the answer that introduces the server. */
function rewrite(text: string, identity: ServerIdentity): string {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return text;
  }
  if (!isObject(message) || !isObject(message["result"])) return text;
  const { result } = message;
  const { name, version, websiteUrl, instructions } = identity;
  const info = isObject(result["serverInfo"]) ? result["serverInfo"] : undefined;
  if (info !== undefined) {
    if (name !== undefined) info["name"] = name;
    if (name !== undefined && "title" in info) info["title"] = name;
    if (version !== undefined) info["version"] = version;
    if (websiteUrl !== undefined) info["websiteUrl"] = websiteUrl;
  }
  if (instructions !== undefined) result["instructions"] = instructions;
  return JSON.stringify(message);
}

/** Holds events back until they are complete, rewrites the first one with a result, and is out of the way from then on. */
function rewriteEvents(
  body: ReadableStream<Uint8Array>,
  identity: ServerIdentity,
): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  let held = "";
  let done = false;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (done) return controller.enqueue(chunk);
        held += decoder.decode(chunk, { stream: true });
        let out = "";
        for (let match = eventEnd.exec(held); match !== null && !done; match = eventEnd.exec(held)) {
          const event = held.slice(0, match.index);
          const rewritten = rewriteEvent(event, identity);
          out += (rewritten ?? event) + match[0];
          held = held.slice(match.index + match[0].length);
          done = rewritten !== undefined;
        }
        if (done || held.length > maxEventBytes) {
          done = true;
          out += held;
          held = "";
        }
        if (out !== "") controller.enqueue(encoder.encode(out));
      },
      flush(controller) {
        if (held !== "") controller.enqueue(encoder.encode(held));
      },
    }),
  );
}

const eventEnd = /\r\n\r\n|\n\n|\r\r/;

/** The event with its data rewritten, or `undefined` when it is not the answer. */
function rewriteEvent(event: string, identity: ServerIdentity): string | undefined {
  const lines = event.split(/\r\n|\n|\r/);
  const data = lines.filter((line) => /^data:/.test(line)).map((line) => line.replace(/^data: ?/, "")).join(
    "\n",
  );
  const rewritten = data === "" ? data : rewrite(data, identity);
  if (rewritten === data) return undefined;
  const others = lines.filter((line) => !/^data:/.test(line));
  return [...others, `data: ${rewritten}`].join("\n");
}
