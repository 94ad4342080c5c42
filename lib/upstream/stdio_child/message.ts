/** As much of a JSON-RPC message as is needed to bring it to the right stream; the text itself passes as it is. */
export interface Heard {
  /** As JSON text. */
  readonly id?: string;
  readonly method?: string;
  /** `params._meta.progressToken` of a request, or `params.progressToken` of a progress notification; as JSON text. */
  readonly progressToken?: string;
}

type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : undefined;
}

/** The messages of a text, one or a batch; `undefined` when it is none. */
export function readMessages(text: string): readonly Heard[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const messages: unknown[] = Array.isArray(value) ? value : [value];
  if (messages.length === 0 || !messages.every(isObject)) return undefined;
  return messages.map(heard);
}

function heard(message: Members): Heard {
  const { id, method, params } = message;
  const inside = isObject(params) ? params : {};
  const meta = isObject(inside._meta) ? inside._meta : {};
  const token = keyOf(method === "notifications/progress" ? inside.progressToken : meta.progressToken);
  const key = keyOf(id);
  return {
    ...(key === undefined ? {} : { id: key }),
    ...(typeof method === "string" ? { method } : {}),
    ...(token === undefined ? {} : { progressToken: token }),
  };
}

/** A message on one line: between its tokens a line break is a blank like any other, inside of them there is none. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}
