import { refuseSplitting } from "../../base/http1/bytes.ts";
import { Malformed } from "../../base/http1/fields.ts";

/** What is written for one request. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly target: string;
  /** The `Host` value. */
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body's length in bytes, `chunked` for a stream of unknown length, or nothing for no body. */
  readonly length: number | "chunked" | undefined;
}

/** The head as text; each character of a header value is one byte, as fetch has it. @throws Malformed */
export function headText(head: RequestHead): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.host}\r\n`;
  for (const [name, value] of head.headers) text += `${name}: ${value}\r\n`;
  if (head.length === "chunked") text += "transfer-encoding: chunked\r\n";
  else if (head.length !== undefined) text += `content-length: ${head.length}\r\n`;
  text += "\r\n";
  refuseSplitting(text, 3 + head.headers.length + (head.length === undefined ? 0 : 1));
  if (head.target.includes(" ")) throw new Malformed("a target with a space");
  return text;
}
