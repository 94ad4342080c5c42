/**
 * A load balancer as they stand in front of replicas: the next one in turn, the one after it when that does not answer.
 * What carries something that is good once (see `goodOnce`) and had been sent is not sent again by itself: its answer
 * is 502.
 */
export interface RoundRobin extends AsyncDisposable {
  readonly origin: string;
  /** Where requests go, by port; may be changed at any time. */
  ports: number[];
  /** Requests that no replica answered. */
  readonly failed: number;
}

/** A code, a refresh token, the IdP's answer to a login. */
const goodOnce = ["/token", "/auth/callback"];

export function startRoundRobin(): RoundRobin {
  let turn = 0;
  let failed = 0;
  const cut = new AbortController();
  // A kept connection that breaks is tried again by fetch itself, and then nobody knows whether a request was sent.
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: cut.signal, onListen: () => {} },
    async (request) => {
      const { pathname, search, host } = new URL(request.url);
      const body = request.body === null ? null : await request.arrayBuffer();
      const headers = new Headers(request.headers);
      headers.set("host", host);
      const first = turn++;
      for (let attempt = 0; attempt < balancer.ports.length * 3; attempt++) {
        const port = balancer.ports[(first + attempt) % balancer.ports.length];
        try {
          const url = `http://127.0.0.1:${port}${pathname}${search}`;
          const answer = await fetch(url, {
            method: request.method,
            headers,
            body,
            redirect: "manual",
            client,
          });
          // Read as a whole, so that an answer that breaks off is asked for again.
          const bytes = await answer.arrayBuffer();
          const kept = new Headers(answer.headers);
          for (const name of ["content-encoding", "content-length", "transfer-encoding", "connection"]) {
            kept.delete(name);
          }
          return new Response(bytes.byteLength === 0 ? null : bytes, {
            status: answer.status,
            headers: kept,
          });
        } catch (error) {
          const sent = !/refused/i.test(String(error) + String((error as Error).cause));
          if (sent && goodOnce.includes(pathname)) {
            return Response.json({ error: "bad_gateway" }, { status: 502 });
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      failed++;
      return new Response("no replica answers", { status: 502 });
    },
  );
  const finished = server.finished.catch(() => {});
  const balancer: RoundRobin = {
    origin: `http://localhost:${server.addr.port}`,
    ports: [],
    get failed() {
      return failed;
    },
    async [Symbol.asyncDispose]() {
      cut.abort();
      await finished;
      client.close();
    },
  };
  return balancer;
}
