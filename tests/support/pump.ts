/** The pump of stdio mode inside the test's own process: lines in, lines out, no subprocess. */
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import type { HttpClientConfig } from "../../lib/base/http_config.ts";
import type { Logger } from "../../lib/base/log.ts";
import { proxyRule } from "../../lib/base/proxy.ts";
import type { Credentials } from "../../lib/stdio/credentials.ts";
import { openDump } from "../../lib/stdio/dump.ts";
import type { LastAnswers } from "../../lib/stdio/last_answers.ts";
import { readLines } from "../../lib/stdio/lines.ts";
import { openTransport } from "../../lib/stdio/open_transport.ts";
import { openPump, type PumpConfig } from "../../lib/stdio/open_pump.ts";
import type { Pump } from "../../lib/stdio/pump.ts";
import { staticHeaders } from "../../lib/stdio/static_headers.ts";
import { lineWriter } from "../../lib/stdio/stdout.ts";
import { keepCarried } from "./secrets.ts";
import { type WatchedLog, watchedLog } from "./watched_log.ts";

export interface PumpOptions extends Partial<Omit<PumpConfig, "upstreamUrl">> {
  credentials?: Credentials;
  clock?: Clock;
  log?: Logger;
  dumpFile?: string;
  answers?: LastAnswers;
  /** As by `--header`. */
  headers?: readonly (readonly [name: string, value: string])[];
  http?: HttpClientConfig;
}

// deno-lint-ignore no-explicit-any -- tests look into whatever came
export type Message = any;

export interface TestPump extends AsyncDisposable {
  readonly pump: Pump;
  /** What it has logged. */
  readonly log: WatchedLog;
  /** Writes one line: text as it is, anything else as JSON. */
  send(line: string | Message): void;
  sendBytes(bytes: Uint8Array): void;
  /** Closes stdin. */
  end(): void;
  /** Every line that came out, without its newline. */
  readonly lines: string[];
  /** The first message, past or to come, that fits; fails after `withinMs` (default 10 s). */
  find(fits: (message: Message) => boolean, withinMs?: number): Promise<Message>;
  /** The answer to this id. */
  answer(id: unknown, withinMs?: number): Promise<Message>;
  /** Sends a request and gives its answer. */
  ask(message: Message, withinMs?: number): Promise<Message>;
  /** Called with each message as it comes. */
  onMessage?: (message: Message) => void;
}

const encoder = new TextEncoder();

/** A pump to `url`; disposing of it ends the session as at exit. */
export function startPump(url: string | URL, options: PumpOptions = {}): TestPump {
  const exit = new AbortController();
  const stdin = new TransformStream<Uint8Array, Uint8Array>();
  const toStdin = stdin.writable.getWriter();
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let partial: Uint8Array[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    for (const listener of listeners) listener();
    if (self.onMessage !== undefined) self.onMessage(JSON.parse(line));
  };
  const out = lineWriter({
    write(bytes) {
      let from = 0;
      for (let to = bytes.indexOf(10); to !== -1; to = bytes.indexOf(10, from)) {
        const pieces = [...partial, bytes.slice(from, to)];
        partial = [];
        from = to + 1;
        const decoder = new TextDecoder();
        onLine(pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode());
      }
      if (from < bytes.length) partial.push(bytes.slice(from));
      return Promise.resolve(bytes.length);
    },
  });
  const log = watchedLog(options.log);
  const httpConfig = options.http ?? { caFiles: [], noProxy: [] };
  const http = openHttpClient(httpConfig, { log });
  const transport = openTransport(new URL(url), options.headers ?? [], { http, httpConfig, log });
  const dump = openDump(options.dumpFile);
  const config = {
    upstreamUrl: new URL(url),
    identity: options.identity ?? {},
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    maxLineBytes: options.maxLineBytes ?? 64 * 1024 * 1024,
    firstAnswerTimeoutMs: options.firstAnswerTimeoutMs ?? 0,
  };
  const pump = openPump(config, {
    transport,
    isDirect: proxyRule(httpConfig).isDirect,
    credentials: options.credentials ??
      staticHeaders([["authorization", "Bearer a-token-for-the-upstream-alone"], ...options.headers ?? []]),
    out,
    dump,
    answers: options.answers ?? memoryAnswers(),
    clock: options.clock ?? systemClock,
    log,
    signal: exit.signal,
  });
  const reader = stdin.readable.getReader();
  let rest: Uint8Array = new Uint8Array();
  const source = {
    async read(into: Uint8Array): Promise<number | null> {
      if (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return null;
        rest = value;
      }
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
  };
  const running = pump.run(readLines(source, config.maxLineBytes));
  let ended = false;
  const end = () => {
    if (!ended) toStdin.close().catch(() => {});
    ended = true;
  };

  const self: TestPump = {
    pump,
    log,
    lines,
    send: (line) =>
      self.sendBytes(encoder.encode((typeof line === "string" ? line : JSON.stringify(line)) + "\n")),
    sendBytes(bytes) {
      if (bytes.length < 100_000) keepCarried(new Headers(), new TextDecoder().decode(bytes));
      toStdin.write(bytes).catch(() => {});
    },
    end,
    find(fits, withinMs = 10_000) {
      let seen = 0;
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        const look = () => {
          for (; seen < lines.length; seen++) {
            const message = JSON.parse(lines[seen] as string);
            if (!fits(message)) continue;
            finish();
            resolve(message);
            return;
          }
        };
        const timer = setTimeout(() => {
          finish();
          reject(new Error(`no such message among:\n${lines.map((line) => line.slice(0, 300)).join("\n")}`));
        }, withinMs);
        listeners.add(look);
        look();
      });
    },
    answer: (id, withinMs) => self.find((message) => message.id === id && !("method" in message), withinMs),
    ask(message, withinMs) {
      self.send(message);
      return self.answer(message.id, withinMs);
    },
    async [Symbol.asyncDispose]() {
      end();
      await running;
      await pump.upstream.close(AbortSignal.timeout(500)).catch(() => {});
      exit.abort();
      dump[Symbol.dispose]();
      transport[Symbol.dispose]();
      http.close();
      await reader.cancel().catch(() => {});
      log.check();
    },
  };
  return self;
}

/** What upstreams said of themselves, for the life of a test. */
export function memoryAnswers(known: Record<string, Record<string, unknown>> = {}): LastAnswers {
  return {
    get: (method) => Promise.resolve(known[method]),
    put: (method, result) => {
      known[method] = result as Record<string, unknown>;
      return Promise.resolve();
    },
  };
}

/** The usual first message of a host of the session revisions. */
export function initializeMessage(id: unknown = 0, protocolVersion = "2025-11-25"): Message {
  const clientInfo = { name: "test-host", version: "1" };
  const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} };
  return { jsonrpc: "2.0", id, method: "initialize", params: { protocolVersion, capabilities, clientInfo } };
}

/** Opens a session as a host does. */
export async function shakeHands(pump: TestPump, protocolVersion?: string): Promise<Message> {
  const answer = await pump.ask(initializeMessage(0, protocolVersion));
  pump.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return answer;
}
