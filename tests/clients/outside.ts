/** A published client as a program of its own, with a scripted browser for the addresses that it prints. */
import { type Browser, newBrowser } from "../support/browser.ts";
import { baseEnv, packageEnv } from "../support/process.ts";

export interface OutsideClient extends AsyncDisposable {
  /** Everything that it has printed, both streams. */
  readonly output: () => string;
  /** How often it asked for a login. */
  readonly logins: () => number;
  /** Resolves with the first match in the output; rejects when the program ends without one. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  /** Writes a line to its stdin. */
  write(line: string): Promise<void>;
  /** Its exit code. */
  readonly exited: Promise<number>;
}

export interface OutsideOptions {
  readonly home: string;
  readonly env?: Record<string, string>;
  /** Told of the address that the browser was sent back to, instead of opening it. */
  readonly onBack?: (client: OutsideClient, address: URL) => Promise<void>;
  readonly timeoutMs?: number;
}

/** Starts a program; whenever it prints an authorization request, alice logs in and approves. */
export function startOutside(
  command: readonly [string, ...string[]],
  options: OutsideOptions,
): OutsideClient {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    // No opener is on this path, so that the address is printed and the browser is ours.
    env: {
      ...baseEnv(options.home),
      ...packageEnv(),
      PATH: "/usr/bin:/bin",
      BROWSER: "true",
      ...options.env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(options.timeoutMs ?? 180_000),
  }).spawn();
  const stdin = child.stdin.getWriter();
  const visited = new Set<string>();
  const visits: Promise<void>[] = [];
  let output = "";
  let changed = Promise.withResolvers<void>();

  const client: OutsideClient = {
    output: () => output,
    logins: () => visited.size,
    async seen(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        const ended = await Promise.race([changed.promise, reading.then(() => "ended" as const)]);
        if (ended === "ended" && pattern.exec(output) === null) {
          throw new Error(`Never seen: ${pattern}\n${output}`);
        }
      }
    },
    write: (line) => stdin.write(new TextEncoder().encode(`${line}\n`)),
    exited: child.status.then(async ({ code }) => {
      await reading;
      return code;
    }),
    async [Symbol.asyncDispose]() {
      await stdin.close().catch(() => {});
      const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await child.status;
      clearTimeout(timer);
      await reading;
    },
  };

  async function read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      changed.resolve();
      changed = Promise.withResolvers();
      for (const [url] of output.matchAll(/https?:\/\/[^\s"']+\/authorize\?[^\s"']+(?=[\s"'])/g)) {
        if (visited.has(url)) continue;
        visited.add(url);
        visits.push(visit(url));
      }
    }
  }

  async function visit(url: string): Promise<void> {
    const browser: Browser = newBrowser({ user: "alice" });
    const end = await browser.authorize(url, new URL(url).searchParams.get("redirect_uri") ?? "");
    if (options.onBack !== undefined) return await options.onBack(client, end);
    const response = await fetch(end);
    await response.body?.cancel();
  }

  const reading = Promise.all([read(child.stdout), read(child.stderr)]).then(() => Promise.all(visits));
  reading.catch(() => {});
  return client;
}

/** A program from npm under this Deno. */
export function npmProgram(name: string, args: readonly string[]): [string, ...string[]] {
  return [Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--no-lock", `npm:${name}`, ...args];
}
