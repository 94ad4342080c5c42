/** What a small JSON-RPC body says about itself; for the log, the metrics and errors, never to decide on a request. */
export interface Peek {
  /** Methods, joined by commas in a batch. */
  readonly method: string | undefined;
  /** `params.name` of calls. */
  readonly tools: readonly string[];
  /** How many `tools/call` there are, with a name or without. */
  readonly calls: number;
  /** The id of a single request as JSON text. */
  readonly id: string | undefined;
  readonly batch: boolean;
}

const noTools: readonly string[] = [];
const nothing: Peek = { method: undefined, id: undefined, tools: noTools, calls: 0, batch: false };
const decoder = new TextDecoder();

/** Reads a body that is at hand; whatever is not JSON-RPC says nothing. */
export function peek(body: Uint8Array): Peek {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    return nothing;
  }
  if (Array.isArray(value)) {
    const parts = value.map(single);
    const methods = parts.map((part) => part.method).filter((method) => method !== undefined);
    return {
      method: methods.length > 0 ? methods.join(",").slice(0, 128) : undefined,
      id: undefined,
      tools: parts.filter((part) => part.method === "tools/call").flatMap((part) => part.tools),
      calls: parts.reduce((sum, part) => sum + part.calls, 0),
      batch: true,
    };
  }
  return single(value);
}

function single(value: unknown): Peek {
  if (typeof value !== "object" || value === null) return nothing;
  const message = value as { method?: unknown; id?: unknown; params?: { name?: unknown } | null };
  const { method, id } = message;
  const name = typeof message.params === "object" ? message.params?.name : undefined;
  return {
    method: typeof method === "string" && method !== "" ? plain(method, 128) : undefined,
    id: isExactId(id) ? JSON.stringify(id) : undefined,
    tools: typeof name === "string" ? [plain(name, 128)] : noTools,
    calls: method === "tools/call" ? 1 : 0,
    batch: false,
  };
}

/** A number that lost digits when it was read would name another request. */
function isExactId(id: unknown): id is string | number {
  return typeof id === "string" || (typeof id === "number" && Math.abs(id) <= Number.MAX_SAFE_INTEGER);
}

/** Letters, digits and `. _ : / - +` only, cut to a length: what may stand in a log line or a label. */
export function plain(text: string, max: number): string {
  const cut = text.length > max * 4 ? text.slice(0, max * 4) : text;
  return (/^[A-Za-z0-9._:/+-]*$/.test(cut) ? cut : cut.replaceAll(/[^A-Za-z0-9._:/+-]/g, "")).slice(0, max);
}
