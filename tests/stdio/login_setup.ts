/** The parts of a login test: a configuration, a cache folder of its own and a person with a scripted browser. */
import { systemClock } from "../../lib/base/clock.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import type { Logger } from "../../lib/base/log.ts";
import type { LoginConfig, StdioConfig } from "../../lib/stdio/config.ts";
import type { Credentials } from "../../lib/stdio/credentials.ts";
import { openCredentials } from "../../lib/stdio/open_credentials.ts";
import { newBrowser } from "../support/browser.ts";
import { watchedLog } from "../support/watched_log.ts";

/** A temporary folder that goes away with its owner. */
export interface TemporaryDir extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryDir(): Promise<TemporaryDir> {
  const path = await Deno.makeTempDir({ prefix: "doorman-login-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A stdio configuration with a login at this issuer; `login` overrides. */
export function stdioConfig(
  cacheDir: string,
  login: Partial<LoginConfig>,
  rest: Partial<StdioConfig> = {},
): StdioConfig {
  return {
    mode: "stdio",
    upstreamUrl: new URL("http://127.0.0.1:9/mcp"),
    log: { level: "error", format: "text" },
    http: { caFiles: [], noProxy: [] },
    banner: false,
    headers: [],
    identity: {},
    firstAnswerTimeoutMs: 15_000,
    connectTimeoutMs: 15_000,
    maxLineBytes: 1_000_000,
    login: {
      redirectUrl: new URL(`http://localhost:${freePort()}/auth/callback`),
      redirectFixed: false,
      grant: "authorization_code",
      authorizeParameters: [],
      omitResource: false,
      allowMissingPkce: false,
      loginTimeoutMs: 20_000,
      openBrowser: false,
      cacheDir,
      profile: "",
      ...login,
    },
    ...rest,
  };
}

/** A person at this machine, who opens each address that is printed. */
export interface Person {
  /** The addresses that were printed, in order. */
  readonly addresses: URL[];
  /** The first of them. */
  readonly asked: Promise<URL>;
  /** What the browser showed in the end, in order. */
  readonly pages: { status: number; html: string; url: URL }[];
  readonly print: (line: string) => void;
  /** Resolves when all browsers are done. */
  settled(): Promise<void>;
}

/** `user` undefined: only notes the addresses. */
export function person(user: string | undefined, delayMs = 0): Person {
  const addresses: URL[] = [];
  const pages: Person["pages"] = [];
  const running: Promise<void>[] = [];
  const asked = Promise.withResolvers<URL>();
  const visit = async (url: URL) => {
    if (delayMs > 0) await systemClock.sleep(delayMs);
    const page = await newBrowser(user === undefined ? {} : { user }).open(url);
    pages.push({ status: page.status, html: page.html, url: page.url });
  };
  return {
    addresses,
    asked: asked.promise,
    pages,
    print(line) {
      const found = /https?:\/\/\S+/.exec(line)?.[0];
      if (found === undefined) return;
      const url = new URL(found);
      addresses.push(url);
      asked.resolve(url);
      if (user !== undefined) running.push(visit(url));
    },
    settled: async () => void await Promise.all(running),
  };
}

/** Credentials with a real network and everything else as given; closes the network with them. */
export async function testCredentials(
  config: StdioConfig,
  options: { print?: (line: string) => void; clock?: Clock; log?: Logger } = {},
): Promise<Credentials> {
  const log = watchedLog(options.log);
  const http = openHttpClient();
  const credentials = await openCredentials(config, {
    http,
    log,
    print: options.print ?? (() => {}),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const dispose = credentials[Symbol.asyncDispose].bind(credentials);
  return Object.assign(credentials, {
    async [Symbol.asyncDispose]() {
      await dispose();
      http.close();
      log.check();
    },
  });
}

/** A signal that ends a test that hangs. */
export const soon = (ms = 20_000): AbortSignal => AbortSignal.timeout(ms);

/** The real time, moved on by hand: for what expires at a server that has the real time. */
export function movedClock(): Clock & { move(ms: number): void } {
  let offsetMs = 0;
  return {
    now: () => systemClock.now() + offsetMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    move: (ms) => void (offsetMs += ms),
  };
}

/** The bearer token among the headers. */
export function bearer({ list }: { list: readonly (readonly [string, string])[] }): string | undefined {
  return list.find(([name]) => name === "authorization")?.[1].slice("Bearer ".length);
}
