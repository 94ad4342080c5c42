/**
 * Callers that go on calling while something happens to the program, and an upstream that notes what it answered: so
 * that no answer is lost, none is a stranger's, and whatever failed had not been begun.
 */
import { Http1Client } from "../../lib/upstream/http1/client.ts";
import { type RawUpstream, startHandler } from "../fakes/raw_upstream.ts";

/** An upstream that takes up to 30 ms for a call, and notes it once it answers. */
export function startNotingUpstream(): RawUpstream & { readonly answered: Set<number> } {
  const answered = new Set<number>();
  const upstream = startHandler(async (request) => {
    if (request.method === "GET") {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }
    const { id, params } = await request.json();
    await new Promise((resolve) => setTimeout(resolve, params?.ms ?? Math.random() * 30));
    answered.add(id);
    return Response.json({ jsonrpc: "2.0", id, result: { text: params?.text } });
  });
  return { ...upstream, answered };
}

/** What the callers saw. */
export interface SteadyLoad {
  /** Calls that got their own answer. */
  readonly answered: Set<number>;
  /** Calls that failed without a byte of an answer, and why. */
  readonly failed: Map<number, string>;
  /** Whatever must not be. */
  readonly wrong: string[];
  /** Resolves when this many more calls have been answered. */
  progress(calls: number): Promise<void>;
  /** No new calls; resolves when the last one is over. */
  stop(): Promise<void>;
}

/** Starts `callers` of them, half on kept connections and half on a new one for each call. */
export function startSteadyLoad(mcpUrl: string, token: string, callers = 16): SteadyLoad {
  const { hostname, port, host, pathname } = new URL(mcpUrl);
  const client = () => new Http1Client({ hostname, port: Number(port), host, timeoutMs: 5_000 });
  const answered = new Set<number>();
  const failed = new Map<number, string>();
  const wrong: string[] = [];
  const waiting = new Set<() => void>();
  let stopped = false;
  let lastId = 1_000;

  async function callOnce(http: Http1Client): Promise<void> {
    const id = ++lastId;
    const text = crypto.randomUUID();
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { text } });
    const headers = [["authorization", `Bearer ${token}`], ["content-type", "application/json"]] as const;
    try {
      const sending = http.send({
        method: "POST",
        target: pathname,
        headers,
        body: new TextEncoder().encode(body),
      });
      const { status, body: got } = await sending.response;
      const answer = got === null ? "" : await new Response(got).text();
      const { id: theirs, result } = status === 200 ? JSON.parse(answer) : {};
      if (theirs === id && result?.text === text) answered.add(id);
      else wrong.push(`call ${id}: ${status} ${answer.slice(0, 200)}`);
      for (const wake of waiting) wake();
    } catch (error) {
      failed.set(id, error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function caller(keeps: boolean): Promise<void> {
    let http = client();
    while (!stopped) {
      await callOnce(http);
      if (keeps) continue;
      http[Symbol.dispose]();
      http = client();
    }
    http[Symbol.dispose]();
  }

  const running = Array.from({ length: callers }, (_, at) => caller(at % 2 === 0));
  return {
    answered,
    failed,
    wrong,
    progress(calls) {
      const goal = answered.size + calls;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`No ${calls} answers within 30 s: ${[...failed.values()].at(-1)} ${wrong[0] ?? ""}`),
          );
        }, 30_000);
        const look = () => {
          if (answered.size < goal) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}
