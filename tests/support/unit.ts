/**
 * The systemd unit of scripts/deploy/systemd/ on a machine without systemd: its file is read, and the program started
 * with the arguments, the environment file, the variables and the credentials that stand there. Shell commands of an
 * operator run beside it, with `systemctl` and `journalctl` that speak to this stand-in; everything else is real.
 */
import { unusedPort } from "../fakes/raw_upstream.ts";
import { baseEnv, doormanCommand, type DoormanProcess, startDoorman } from "./process.ts";

const folder = new URL("../../scripts/deploy/systemd/", import.meta.url);

/** What a command wrote and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One installation of the unit. */
export class Unit implements AsyncDisposable {
  readonly port = unusedPort();
  readonly admin = `http://127.0.0.1:${unusedPort()}`;
  readonly publicUrl: string;
  /** The folder of settings and secrets; `/etc/mcp-doorman` of a real one. */
  readonly conf: string;
  /** Where the executable is; `/usr/local/bin` of a real one. */
  readonly bin: string;
  /** Where commands run. */
  readonly work: string;
  readonly #root = Deno.makeTempDirSync({ prefix: "doorman-unit-" });
  readonly #journal: string[] = [];
  readonly #control: Deno.HttpServer<Deno.NetAddr>;
  #running: DoormanProcess | undefined;

  /** Installs it as the comment in the unit says; `settings` take the place of the examples in the environment file. */
  constructor(settings: Readonly<Record<string, string>>, secrets: Readonly<Record<string, string>>) {
    [this.conf, this.bin, this.work] = ["etc", "bin", "work"].map((name) => {
      Deno.mkdirSync(`${this.#root}/${name}`);
      return `${this.#root}/${name}`;
    }) as [string, string, string];
    this.publicUrl = settings["MCP_PROXY_BASE_URL"] ?? `http://localhost:${this.port}`;
    const own = {
      MCP_PROXY_BASE_URL: this.publicUrl,
      MCP_PROXY_PORT: String(this.port),
      METRICS_ADDR: new URL(this.admin).host,
      STATE_DIRECTORY: `${this.#root}/state`,
      ...settings,
    };
    Deno.writeTextFileSync(`${this.conf}/mcp-doorman.env`, environmentFile(own));
    for (const [name, text] of Object.entries({ "token-signing-secrets-previous": "", ...secrets })) {
      Deno.writeTextFileSync(`${this.conf}/${name}`, text, { mode: 0o600 });
    }
    const { command, args } = doormanCommand();
    this.#program("mcp-doorman", `exec "${[command, ...args].join('" "')}" "$@"`);
    this.#control = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#told(request),
    );
    const ask = `curl -fsS http://127.0.0.1:${this.#control.addr.port}`;
    this.#program("systemctl", `test "$2" = mcp-doorman && ${ask}/$1 -d ""`);
    this.#program("journalctl", `${ask}/journal`);
  }

  /** Starts it anew, with what is in its files now. */
  async restart(): Promise<void> {
    await this.stop();
    const { args, env } = this.#unit();
    const process = startDoorman(args, { env, home: this.#root, program: `${this.bin}/mcp-doorman` });
    this.#running = process;
    try {
      await process.line("stderr", /"metrics_listening"/);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const process = this.#running;
    this.#running = undefined;
    if (process === undefined) return;
    process.signal("SIGTERM");
    await process.exited;
    this.#journal.push(...process.stderr);
    await process[Symbol.asyncDispose]();
  }

  /** Lines of the log so far. */
  get journal(): readonly string[] {
    return [...this.#journal, ...this.#running?.stderr ?? []];
  }

  /** Waits for a line of the process that runs. */
  async line(pattern: RegExp): Promise<string> {
    if (this.#running === undefined) throw new Error("it does not run");
    return await this.#running.line("stderr", pattern);
  }

  /** Runs a shell script as the operator does. */
  async sh(
    script: string,
    { env = {}, stdin = "" }: { env?: Record<string, string>; stdin?: string } = {},
  ): Promise<Ran> {
    const home = baseEnv(this.#root);
    const child = new Deno.Command("sh", {
      args: ["-euc", script],
      cwd: this.work,
      clearEnv: true,
      env: {
        ...home,
        PATH: `${this.bin}:${home["PATH"]}`,
        ...{ CONF: this.conf, BIN: this.bin, ADMIN: this.admin, PUBLIC: this.publicUrl },
        ...env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
    await writer.close().catch(() => {});
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#control.shutdown();
    await Deno.remove(this.#root, { recursive: true });
  }

  #program(name: string, script: string): void {
    Deno.writeTextFileSync(`${this.bin}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  async #told(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/journal") return new Response(this.journal.map((line) => line + "\n").join(""));
    if (pathname !== "/restart") return new Response("no such command", { status: 404 });
    try {
      await this.restart();
      return new Response();
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  }

  /** What the unit's file says, with `%d` as the folder of the secrets. */
  #unit(): { args: string[]; env: Record<string, string> } {
    const unit = Deno.readTextFileSync(new URL("mcp-doorman.service", folder));
    const env = readEnvironment(Deno.readTextFileSync(`${this.conf}/mcp-doorman.env`));
    for (const [, name = "", value = ""] of unit.matchAll(/^Environment=(\w+)=(\S+)$/gm)) {
      env[name] = value.replace("%d", this.conf);
    }
    for (const [, file = ""] of unit.matchAll(/^LoadCredential=[\w-]+:\/etc\/mcp-doorman\/(\S+)$/gm)) {
      Deno.statSync(`${this.conf}/${file}`);
    }
    const args = /^ExecStart=\S+ (.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
    return { args, env };
  }
}

/** The example file with other values; what is not in it comes at the end. */
function environmentFile(settings: Readonly<Record<string, string>>): string {
  const rest = new Map(Object.entries(settings));
  const lines = Deno.readTextFileSync(new URL("mcp-doorman.env", folder)).trimEnd().split("\n").map(
    (line) => {
      const name = /^(\w+)=/.exec(line)?.[1];
      const value = name === undefined ? undefined : rest.get(name);
      if (name === undefined || value === undefined) return line;
      rest.delete(name);
      return `${name}=${value}`;
    },
  );
  return [...lines, ...[...rest].map(([name, value]) => `${name}=${value}`)].join("\n") + "\n";
}

function readEnvironment(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/^(\w+)=(.*)$/gm)) {
    env[name] = /^".*"$/.test(value) ? value.slice(1, -1) : value;
  }
  return env;
}
