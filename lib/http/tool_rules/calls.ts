/**
 * What a request asks for, read so that the server behind cannot read it otherwise. JSON readers differ in what they
 * make of members that occur twice and of names in other letters (`Method`): where that could change which tool is
 * called, the request is refused rather than guessed at.
 */

/** One message of a request. */
export interface Asked {
  /** As JSON text; absent for a notification. */
  readonly id?: string;
  readonly method?: string;
  /** The tool that is called. */
  readonly tool?: string;
}

const critical = ["id", "jsonrpc", "method", "name", "params"];

/** The messages of a body; `undefined` when it could mean different things to different readers. */
export function readAsked(body: Uint8Array): readonly Asked[] | undefined {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (ambiguous(text, Array.isArray(value) ? 1 : 0)) return undefined;
  const messages = Array.isArray(value) ? value : [value];
  const asked: Asked[] = [];
  for (const message of messages) {
    const one = readMessage(message);
    if (one === undefined) return undefined;
    asked.push(one);
  }
  return asked;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMessage(message: unknown): Asked | undefined {
  if (!isObject(message)) return undefined;
  const { id, method, params } = message;
  const base = typeof id === "string" || typeof id === "number" ? { id: JSON.stringify(id) } : {};
  if (method === undefined) return base;
  if (typeof method !== "string") return undefined;
  if (method !== "tools/call") return { ...base, method };
  const name = isObject(params) ? params.name : undefined;
  return typeof name === "string" ? { ...base, method, tool: name } : undefined;
}

/** Whether a message, or its params, has a critical member twice or in other letters. `depth` is that of the messages. */
function ambiguous(text: string, depth: number): boolean {
  const levels: (Set<string> | undefined)[] = [];
  let paramsAt = -1;
  let key: string | undefined;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [symbol] = match;
    const level = levels.at(-1);
    if (symbol === "{") {
      if (levels.length === depth + 1 && key === "params") paramsAt = levels.length;
      levels.push(new Set());
      key = undefined;
    } else if (symbol === "[") {
      levels.push(undefined);
      key = undefined;
    } else if (symbol === "}" || symbol === "]") {
      levels.pop();
      if (levels.length <= depth + 1) paramsAt = levels.length === paramsAt ? -1 : paramsAt;
      key = undefined;
    } else if (symbol === ",") {
      key = undefined;
    } else if (
      symbol.startsWith('"') && level !== undefined &&
      /^\s*:/.test(text.slice(token.lastIndex, token.lastIndex + 64))
    ) {
      const name: string = JSON.parse(symbol);
      const judged = levels.length === depth + 1 || levels.length - 1 === paramsAt;
      if (judged && confusing(name, level)) return true;
      level.add(name);
      key = name;
    }
  }
  return false;
}

function confusing(name: string, seen: ReadonlySet<string>): boolean {
  const folded = name.normalize("NFKC").toLowerCase();
  return critical.includes(folded) && (name !== folded || seen.has(name));
}
