/** Two plain clients that do the same work: one over HTTP, one over the stdin and stdout of a process. */

/** What is measured. */
export interface RpcClient {
  /** Of the process in between. */
  readonly pid?: number;
  initialize(): Promise<void>;
  call(name: string, args: unknown): Promise<unknown>;
  close(): Promise<void>;
}

const hello = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "bench", version: "1" },
};

/** Talks to the upstream itself. */
export function directClient(url: string): RpcClient {
  let id = 0;
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 128 });
  const ask = async (method: string, params: unknown) => {
    const response = await fetch(url, {
      method: "POST",
      client,
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: id++, method, params }),
    });
    return (await response.json()).result;
  };
  return {
    initialize: async () => void await ask("initialize", hello),
    call: (name, args) => ask("tools/call", { name, arguments: args }),
    close: () => Promise.resolve(client.close()),
  };
}

/** Starts `command` for the upstream and talks to it as a host does. */
export function pumpClient(command: readonly string[], url: string, home: string): RpcClient {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args: [...args, "--no-banner", url],
    env: { HOME: home, DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno` },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const stdin = child.stdin.getWriter();
  const waiting = new Map<number, (result: unknown) => void>();
  const encoder = new TextEncoder();
  (async () => {
    const decoder = new TextDecoder();
    let parts: string[] = [];
    for await (const bytes of child.stdout) {
      const pieces = decoder.decode(bytes, { stream: true }).split("\n");
      for (const [at, piece] of pieces.entries()) {
        parts.push(piece);
        if (at === pieces.length - 1) break;
        const message = JSON.parse(parts.join(""));
        parts = [];
        waiting.get(message.id)?.(message.result);
        waiting.delete(message.id);
      }
    }
  })();
  let id = 0;
  const send = (message: unknown) => void stdin.write(encoder.encode(JSON.stringify(message) + "\n"));
  const ask = (method: string, params: unknown) =>
    new Promise<unknown>((resolve) => {
      waiting.set(id, resolve);
      send({ jsonrpc: "2.0", id: id++, method, params });
    });
  return {
    pid: child.pid,
    initialize: async () => {
      await ask("initialize", hello);
      send({ jsonrpc: "2.0", method: "notifications/initialized" });
    },
    call: (name, args) => ask("tools/call", { name, arguments: args }),
    close: async () => {
      await stdin.close();
      await child.status;
    },
  };
}
