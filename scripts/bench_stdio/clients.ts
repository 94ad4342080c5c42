/**
 * Plain clients that do the same work: over HTTP, and over the stdin and stdout of a process. Written with what Node
 * and Deno both have, so that either can run them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { Buffer } from "node:buffer";

/** What is measured. */
export interface RpcClient {
  /** Of the process in between. */
  readonly pid?: number | undefined;
  initialize(): Promise<void>;
  call(name: string, args: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

/** Where the upstream is, and how the program in between is started. */
export interface Target {
  readonly url: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const bearer = "Bearer of-the-direct-client";
const hello = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "bench", version: "1" },
};

/** JSON over kept connections of `node:http`. */
export function httpClient({ url }: Target): RpcClient {
  const agent = new Agent({ keepAlive: true });
  const options = {
    method: "POST",
    agent,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: bearer,
    },
  };
  const post = (text: string) =>
    new Promise<Buffer>((resolve, reject) => {
      const asking = request(url, options, (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("end", () => resolve(Buffer.concat(pieces)));
        answer.on("error", reject);
      });
      asking.on("error", reject);
      asking.end(text);
    });
  return {
    ...calls(async (message) => JSON.parse((await post(JSON.stringify(message))).toString())),
    close: () => Promise.resolve(agent.destroy()),
  };
}

/** The runtime's own fetch. */
export function fetchClient({ url }: Target): RpcClient {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    authorization: bearer,
  };
  return {
    ...calls(async (message) =>
      await (await fetch(url, { method: "POST", headers, body: JSON.stringify(message) })).json()
    ),
    close: () => Promise.resolve(),
  };
}

type Answer = { readonly id: number; readonly result: unknown };

function calls(ask: (message: { id: number }) => Promise<Answer>): Omit<RpcClient, "close"> {
  let id = 0;
  const answer = async (method: string, params: unknown) => {
    const message = { jsonrpc: "2.0", id: id++, method, params };
    const { id: answered, result } = await ask(message);
    if (answered !== message.id || result === undefined) throw new Error(`no result for ${method}`);
    return result;
  };
  return {
    initialize: async () => void await answer("initialize", hello),
    call: (name, args) => answer("tools/call", { name, arguments: args }),
  };
}

/** Starts the command and talks to it as a host does. */
export function stdioClient({ command, env }: Target): RpcClient {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { env: { ...env }, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (answer: Answer) => void>();
  const send = (message: unknown) => void child.stdin.write(JSON.stringify(message) + "\n");
  eachLine(child, (line) => {
    const answer: Answer = JSON.parse(line);
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const client = calls((message) =>
    new Promise((resolve) => {
      waiting.set(message.id, resolve);
      send(message);
    })
  );
  return {
    ...client,
    pid: child.pid,
    initialize: async () => {
      await client.initialize();
      send({ jsonrpc: "2.0", method: "notifications/initialized" });
    },
    close: () =>
      new Promise((resolve) => {
        child.on("exit", () => resolve());
        child.stdin.end();
      }),
  };
}

function eachLine(child: ChildProcess, take: (line: string) => void): void {
  let pieces: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => {
    let from = 0;
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      pieces.push(bytes.subarray(from, to));
      take(pieces.length === 1 ? String(pieces[0]) : Buffer.concat(pieces).toString());
      pieces = [];
      from = to + 1;
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from));
  });
}
