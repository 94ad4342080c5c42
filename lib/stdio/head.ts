/** What is known of one message; texts are as JSON.parse would give them, the id is the text that stands there. */
export interface Head {
  /** The raw JSON text of the id, such as `1`, `"a"` or `12345678901234567890`; absent when there is none. */
  id?: string;
  method?: string;
  /** `params.name` when it is a string. */
  name?: string;
  /** `params.uri` when it is a string. */
  uri?: string;
  /** `params.taskId` when it is a string. */
  taskId?: string;
  /** The raw JSON text of `params.requestId`. */
  requestId?: string;
  /** `params._meta["io.modelcontextprotocol/protocolVersion"]`: present from revision 2026-07-28 on. */
  protocolVersion?: string;
  /** The code of the error, as JSON text. */
  errorCode?: string;
  hasResult?: boolean;
  hasError?: boolean;
}

/** What a text turned out to be. */
export interface Scan {
  /** It is one JSON text and nothing else. */
  readonly valid: boolean;
  /** The text is an array (JSON-RPC batches, revision 2025-03-26). */
  readonly batch: boolean;
  /** There are line breaks between its tokens; nowhere else can there be any. */
  readonly hasLineBreaks: boolean;
  /** One for each object at the top; empty for anything that is no message. */
  readonly heads: readonly Head[];
}

/** Whether a message asks for an answer. */
export function isRequest(head: Head): boolean {
  return head.method !== undefined && head.id !== undefined;
}

/** Whether a message answers a request: a result with an id, or an error with a code, which may lack the id. */
export function isResponse(head: Head): boolean {
  if (head.method !== undefined) return false;
  return head.hasResult === true && head.id !== undefined || head.errorCode !== undefined;
}

/** Whether an object is a JSON-RPC message at all. */
export function isMessage(head: Head): boolean {
  return head.method !== undefined || isResponse(head);
}
