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

interface Level {
  /** The member names so far; absent in an array. */
  readonly names?: Set<string>;
  readonly part: "message" | "params" | "other";
}

/** Whether a message has a deciding member twice or in other letters; `depth` is that of the messages. */
function ambiguous(text: string, depth: number): boolean {
  const levels: Level[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],]/gs;
  const colon = /\s*:/y;
  let key: string | undefined;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [symbol] = match;
    const level = levels.at(-1);
    if (symbol === "{") {
      levels.push({ names: new Set(), part: partAt(levels.length === depth, level, key) });
    } else if (symbol === "[") {
      levels.push({ part: "other" });
    } else if (symbol === "}" || symbol === "]") {
      levels.pop();
    } else if (symbol !== "," && level?.names !== undefined) {
      colon.lastIndex = token.lastIndex;
      if (!colon.test(text)) continue;
      key = String(JSON.parse(symbol));
      if (confusing(key, level)) return true;
      level.names.add(key);
      continue;
    }
    key = undefined;
  }
  return false;
}

function partAt(isMessage: boolean, parent: Level | undefined, key: string | undefined): Level["part"] {
  if (isMessage) return "message";
  return parent?.part === "message" && key === "params" ? "params" : "other";
}

const deciding = { message: ["id", "jsonrpc", "method", "params"], params: ["name"], other: [] };

/** Readers that fold letters take `Method`, or a long s, for the real name. */
function confusing(name: string, { names, part }: Level): boolean {
  const members: readonly string[] = deciding[part];
  if (members.length === 0) return false;
  const folded = name.normalize("NFKC").toLowerCase();
  return members.includes(folded) && (name !== folded || names?.has(name) === true);
}
