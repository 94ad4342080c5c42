/** What stands before the server and changes what passes. */
export type EdgeRule = (request: Request, pass: () => Promise<Response>) => Response | Promise<Response>;

export interface Edge extends AsyncDisposable {
  /** The public address. */
  readonly url: string;
  /** Where it passes requests on to; set once that is known. */
  inner: string;
}

/** An edge on a free loopback port. */
export function startEdge(rule: EdgeRule): Edge {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    return rule(request, async () => {
      const headers = new Headers(request.headers);
      headers.set("accept-encoding", "identity");
      const body = request.method === "POST" ? await request.text() : undefined;
      return await fetch(edge.inner + pathname + search, {
        method: request.method,
        headers,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      });
    });
  });
  const edge: Edge = {
    url: `http://localhost:${server.addr.port}`,
    inner: "",
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return edge;
}
