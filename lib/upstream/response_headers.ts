/**
 * Which of the upstream's headers go through: a list of names, since anything else speaks about a connection or a site
 * that the client does not see.
 */
import type { HeaderList } from "./upstream.ts";

/** What an upstream may tell a client. */
const toldNames = new Set([
  "allow",
  "content-disposition",
  // Asked for `identity`, an upstream that compresses all the same is handed on as it is: fetch of Deno 2.9 leaves such
  // an answer alone, that of 2.6 takes encoding and header off.
  "content-encoding",
  "content-language",
  "content-range",
  "accept-ranges",
  "etag",
  "last-modified",
  "link",
  "retry-after",
  "traceresponse",
  "server-timing",
  "deprecation",
  "sunset",
]);

/** An answer's headers, read in one pass: what goes on, and what is needed on the way. */
export class Told {
  contentType: string | null = null;
  contentLength: string | null = null;
  sessionId: string | null = null;
  challenge: string | null = null;
  /** Without `Content-Length` and `Mcp-Session-Id`, which are set anew. */
  readonly goOn: HeaderList = [];
}

/** The headers of the upstream's answer. */
export function responseHeaders(from: HeaderList): Told {
  const told = new Told();
  for (const header of from) {
    const [name, value] = header;
    switch (name) {
      case "content-type":
        told.contentType = value;
        told.goOn.push(header);
        break;
      case "content-length":
        told.contentLength = value;
        break;
      case "mcp-session-id":
        told.sessionId = value;
        break;
      case "www-authenticate":
        told.challenge = value;
        break;
      default:
        if (toldNames.has(name) || name.startsWith("mcp-")) told.goOn.push(header);
    }
  }
  return told;
}
