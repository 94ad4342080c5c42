/** An upstream that answers exactly what a test says, for what no SDK would send. */
import { keepCarried } from "./secrets.ts";

// deno-lint-ignore no-explicit-any -- tests look into whatever came
export type Rpc = any;

export interface RawRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly path: string;
  /** The body as text. */
  readonly text: string;
  /** The body as JSON, when it is. */
  readonly rpc: Rpc;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: RawRequest[];
  /** Resolves with the first request, past or to come, that fits. */
  request(fits: (request: RawRequest) => boolean): Promise<RawRequest>;
  /** Refuses connections from now on; those that are open stay. */
  stopListening(): void;
}

/** Serves `answer` on a port of its own, or on `port`. */
export function rawUpstream(
  answer: (request: RawRequest) => Response | Promise<Response>,
  options: { port?: number; path?: string } = {},
): RawUpstream {
  const requests: RawRequest[] = [];
  const listeners = new Set<() => void>();
  const { promise: over, resolve: finish } = Promise.withResolvers<Response>();
  let stopped = false;
  const serving = new AbortController();
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: options.port ?? 0,
      onListen: () => {},
      signal: serving.signal,
      onError: () => new Response(null, { status: 500 }),
    },
    async (request) => {
      const text = await request.text().catch(() => "");
      let rpc: Rpc;
      try {
        rpc = JSON.parse(text);
      } catch {
        rpc = undefined;
      }
      const { method, headers, signal } = request;
      keepCarried(headers, text);
      const seen = { method, headers, path: new URL(request.url).pathname, text, rpc, signal };
      requests.push(seen);
      for (const listener of listeners) listener();
      return await Promise.race([answer(seen), over]);
    },
  );
  server.finished.catch(() => {});
  return {
    url: `http://127.0.0.1:${server.addr.port}${options.path ?? "/mcp"}`,
    port: server.addr.port,
    requests,
    request(fits) {
      return new Promise((resolve) => {
        const look = () => {
          const found = requests.find(fits);
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      });
    },
    stopListening() {
      stopped = true;
      server.shutdown().catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      finish(new Response(null, { status: 503 }));
      if (!stopped) serving.abort();
      await server.finished.catch(() => {});
    },
  };
}

/** An answer with a JSON-RPC result; anything that is no request gets 202. */
export function rpcResult(request: RawRequest, result: unknown, headers: HeadersInit = {}): Response {
  if (request.rpc?.id === undefined || request.rpc?.method === undefined) {
    return new Response(null, { status: 202 });
  }
  return Response.json({ jsonrpc: "2.0", id: request.rpc.id, result }, { headers });
}

/** What an upstream without sessions says to `initialize`. */
export const plainInitialize = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  serverInfo: { name: "raw", version: "1" },
};

/** An event stream that a test writes piece by piece. */
export function eventStream(headers: HeadersInit = {}): {
  readonly response: Response;
  write(text: string): void;
  event(message: unknown, id?: string): void;
  end(): void;
  /** Ends in the middle, without a proper end. */
  cut(): void;
} {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const quietly = (act: () => void) => {
    try {
      act();
    } catch {
      // The client is gone.
    }
  };
  const write = (text: string) => quietly(() => controller?.enqueue(encoder.encode(text)));
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream", ...headers } }),
    write,
    event: (message, id) =>
      write(`${id === undefined ? "" : `id: ${id}\n`}event: message\ndata: ${JSON.stringify(message)}\n\n`),
    end: () => quietly(() => controller?.close()),
    cut: () => quietly(() => controller?.error(new Error("cut"))),
  };
}
