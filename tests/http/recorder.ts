/** An upstream that remembers what it saw. */

/** One request as the upstream saw it. */
export interface Seen {
  readonly method: string;
  /** Raw path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What a test looks at afterwards, and the handler for `startFront`. */
export function recorder(
  answer: (seen: Seen) => Response = () => Response.json({ jsonrpc: "2.0", id: 1, result: {} }),
) {
  const seen: Seen[] = [];
  return {
    seen,
    upstream: async (request: Request): Promise<Response> => {
      const at = request.url.indexOf("/", 8);
      const one = {
        method: request.method,
        target: request.url.slice(at),
        headers: new Headers(request.headers),
        body: await request.text(),
      };
      seen.push(one);
      return answer(one);
    },
  };
}
