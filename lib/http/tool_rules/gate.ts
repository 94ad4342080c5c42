/**
 * Tool rules at the mount: what may not be called is answered here and never reaches the upstream; what may not be
 * called is not listed either. Without rules there is no gate, and bodies stay unread.
 */
import type { Caller } from "../../oauth/caller.ts";
import { type Asked, readAsked } from "./calls.ts";
import { filterEvents, filterJson, type Visible } from "./lists.ts";
import { mayUse, type ToolRule } from "./rules.ts";

/** What was refused, and the answer to it. */
export interface ToolRefusal {
  readonly reason: "tool_denied" | "message_ambiguous";
  readonly response: Response;
}

/** What a caller may see of a body. */
export interface ListFilter {
  json(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  events(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>;
}

/** The rules at work. */
export class ToolGate {
  constructor(private readonly rules: readonly ToolRule[]) {}

  /** Judges a POST; `undefined` lets it pass. The named headers are those that describe the message (2026-07-28). */
  judge(
    body: Uint8Array,
    caller: Caller,
    named: { readonly method: string | null; readonly name: string | null },
  ): ToolRefusal | undefined {
    const asked = readAsked(body);
    if (asked === undefined) return { reason: "message_ambiguous", response: refused(-32_600, unclear) };
    if (!agrees(asked, named)) return { reason: "message_ambiguous", response: refused(-32_020, mismatch) };
    const denied = asked.filter(({ tool }) => tool !== undefined && !mayUse(this.rules, caller, tool));
    if (denied.length === 0) return undefined;
    const errors = asked.filter(({ id }) => id !== undefined).map(({ id }) =>
      `{"jsonrpc":"2.0","id":${id},"error":{"code":-32602,"message":${notYours}}}`
    );
    const text = asked.length > 1 ? `[${errors.join(",")}]` : errors.join("");
    return { reason: "tool_denied", response: rpcAnswer(text === "" ? 202 : 200, text) };
  }

  /** For answers that may list tools: to `tools/list`, and on streams that carry answers to several requests. */
  filter(caller: Caller, request: { readonly httpMethod: string; readonly rpcMethod: string | undefined }):
    | ListFilter
    | undefined {
    const lists = request.httpMethod === "GET" || (request.rpcMethod ?? "").split(",").includes("tools/list");
    if (!lists) return undefined;
    const visible: Visible = (tool) => mayUse(this.rules, caller, tool);
    return {
      json: (body) => filterJson(body, visible),
      events: (body) => filterEvents(body, visible),
    };
  }
}

const unclear = JSON.stringify("The message could be read in more than one way");
const notYours = JSON.stringify("The tool is not available to you");

const mismatch = JSON.stringify("The headers and the message do not say the same");

function refused(code: number, message: string): Response {
  return rpcAnswer(400, `{"jsonrpc":"2.0","id":null,"error":{"code":${code},"message":${message}}}`);
}

function rpcAnswer(status: number, text: string): Response {
  return new Response(text === "" ? null : text, {
    status,
    headers: text === "" ? {} : { "content-type": "application/json" },
  });
}

/** A server may go by these headers instead of the body, so that they must say the same. */
function agrees(
  asked: readonly Asked[],
  { method, name }: { readonly method: string | null; readonly name: string | null },
): boolean {
  const [only] = asked;
  if (method !== null && (asked.length !== 1 || only?.method !== method)) return false;
  if (name === null || only?.tool === undefined) {
    return name === null || asked.every(({ tool }) => tool === undefined);
  }
  return asked.length === 1 && decoded(name) === only.tool;
}

/** The header's value; names that no header can hold come as base64. */
function decoded(value: string): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value)?.[1];
  if (encoded === undefined) return value;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(encoded));
  } catch {
    return undefined;
  }
}
