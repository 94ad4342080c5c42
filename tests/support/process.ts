/**
 * Starts mcp-doorman as a user does: `main.ts` under this Deno, or the binary that `MCP_DOORMAN_BIN` names, with an
 * environment of the test's own and a home of its own. It runs at the most talkative level unless the test says
 * otherwise, and what it wrote is searched for secrets when it is disposed of (`secrets.ts`).
 */
import { fileURLToPath } from "node:url";
import { textLines } from "./lines.ts";
import { assertNothingShown, keepSettings } from "./secrets.ts";

export interface DoormanOptions {
  /** All of the environment, beside a private HOME and PATH. */
  env?: Record<string, string>;
  /** Default: an empty folder that goes away with the process. */
  home?: string;
  cwd?: string;
  /** Another executable than `doormanCommand()` says. */
  program?: string;
}

export interface DoormanProcess extends AsyncDisposable {
  readonly pid: number;
  readonly home: string;
  /** Lines of stderr so far. */
  readonly stderr: readonly string[];
  /** Lines of stdout so far. */
  readonly stdout: readonly string[];
  /** Resolves with the first line, past or future, that matches; rejects when the process ends or after `timeoutMs` (20 s). */
  line(from: "stdout" | "stderr", pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Writes one line to stdin. */
  write(line: string): Promise<void>;
  closeStdin(): Promise<void>;
  /** The raw stdin, for bytes. */
  readonly stdin: WritableStream<Uint8Array>;
  signal(signal: Deno.Signal): void;
  /** The exit code, once it has ended. */
  readonly exited: Promise<number>;
}

/** The command line of mcp-doorman, for whoever starts it by other means (the SDK's stdio transport). */
export function doormanCommand(): { command: string; args: string[]; compiled: boolean } {
  const binary = Deno.env.get("MCP_DOORMAN_BIN");
  if (binary !== undefined && binary !== "") return { command: binary, args: [], compiled: true };
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  return {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-prompt", "--config", config, main],
    compiled: false,
  };
}

/** The environment that a child needs whatever the test: a home, the Deno cache, and nothing of the tester's own. */
export function baseEnv(home: string): Record<string, string> {
  const env: Record<string, string> = { HOME: home, NO_COLOR: "1" };
  for (const name of ["PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  if (Deno.build.os === "windows") env["LOCALAPPDATA"] = home;
  env["DENO_DIR"] = Deno.env.get("DENO_DIR") ?? denoDir();
  env["DENO_NO_UPDATE_CHECK"] = "1";
  return env;
}

/** The level at which the tests' programs run, so that everything they could say is seen to hold no secret. */
export const talkative = { LOG_LEVEL: "trace" };

/** What a child that fetches packages by itself needs on top: the tester's own way to the registry. */
export function packageEnv(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (
      /^(NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|DENO_CERT|DENO_TLS_CA_STORE|https?_proxy|no_proxy|npm_config_\w+)$/i
        .test(name)
    ) {
      env[name] = value;
    }
  }
  return env;
}

function denoDir(): string {
  const home = Deno.env.get("HOME") ?? "";
  switch (Deno.build.os) {
    case "windows":
      return `${Deno.env.get("LOCALAPPDATA")}\\deno`;
    case "darwin":
      return `${home}/Library/Caches/deno`;
    default:
      return `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/deno`;
  }
}

export function startDoorman(args: readonly string[], options: DoormanOptions = {}): DoormanProcess {
  const home = options.home ?? Deno.makeTempDirSync({ prefix: "doorman-home-" });
  const { command, args: before } = options.program === undefined
    ? doormanCommand()
    : { command: options.program, args: [] };
  keepSettings(args, options.env ?? {});
  const child = new Deno.Command(command, {
    args: [...before, ...args],
    clearEnv: true,
    env: { ...baseEnv(home), ...talkative, ...options.env },
    cwd: options.cwd ?? home,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const waiting = new Set<() => void>();
  let ended = false;
  const read = async (from: "stdout" | "stderr") => {
    for await (const line of child[from].pipeThrough(textLines())) {
      lines[from].push(line);
      for (const wake of waiting) wake();
    }
  };
  const reading = Promise.all([read("stdout"), read("stderr")]);
  const exited = (async () => {
    const { code } = await child.status;
    await reading;
    ended = true;
    for (const wake of waiting) wake();
    return code;
  })();
  const stdin = child.stdin;
  let stdinClosed = false;

  const process: DoormanProcess = {
    pid: child.pid,
    home,
    stderr: lines.stderr,
    stdout: lines.stdout,
    stdin,
    exited,
    line(from, pattern, timeoutMs = 20_000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = lines[from].find((line) => pattern.test(line));
          if (found === undefined && !ended) return;
          clearTimeout(timer);
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`It ended without ${pattern} on ${from}:\n${lines.stderr.join("\n")}`));
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`No ${pattern} on ${from} after ${timeoutMs} ms:\n${lines.stderr.join("\n")}`));
        }, timeoutMs);
        waiting.add(look);
        look();
      });
    },
    async write(line) {
      const writer = stdin.getWriter();
      try {
        await writer.write(new TextEncoder().encode(line + "\n"));
      } finally {
        writer.releaseLock();
      }
    },
    async closeStdin() {
      if (stdinClosed) return;
      stdinClosed = true;
      await stdin.close().catch(() => {});
    },
    signal(signal) {
      child.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      await process.closeStdin();
      if (!ended) {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has just ended by itself.
        }
      }
      await exited;
      const logs = logsIn(home);
      if (options.home === undefined) await Deno.remove(home, { recursive: true });
      assertOutput(lines.stdout, [...lines.stderr, ...logs]);
    },
  };
  return process;
}

/** What stdout of stdio mode is for, and what no output is for. */
function assertOutput(stdout: readonly string[], logged: readonly string[]): void {
  assertNothingShown("stderr or a log file", logged.join("\n"));
  if (!logged.some((line) => /\bstdio_started\b/.test(line))) {
    return assertNothingShown("stdout", stdout.join("\n"));
  }
  const other = stdout.find((line) => !/^(\{"jsonrpc":|\[|\{.*"jsonrpc":)/.test(line));
  if (other !== undefined) throw new Error(`No message on stdout: ${other.slice(0, 200)}`);
}

/** Lines of the log files that a program left in its home. */
function logsIn(home: string): string[] {
  const lines: string[] = [];
  for (const { name, isFile, isDirectory } of Deno.readDirSync(home)) {
    if (isDirectory) lines.push(...logsIn(`${home}/${name}`));
    if (isFile && name.endsWith(".log")) lines.push(...Deno.readTextFileSync(`${home}/${name}`).split("\n"));
  }
  return lines;
}

/** Runs to the end and gives all there was; for `--help`, bad configurations and the like. Killed after 30 s. */
export async function runDoorman(
  args: readonly string[],
  options: DoormanOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using process = startDoorman(args, options);
  await process.closeStdin();
  const timer = setTimeout(() => process.signal("SIGKILL"), 30_000);
  const code = await process.exited;
  clearTimeout(timer);
  return { code, stdout: process.stdout.join("\n"), stderr: process.stderr.join("\n") };
}
