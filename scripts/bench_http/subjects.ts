/** What is measured: the upstream itself, the floor where Go is there, and the product. */
import { startIdp } from "../../tests/fakes/idp.ts";
import { startHttpMode } from "../../tests/support/http_mode.ts";
import { logIn } from "../../tests/support/oauth_client.ts";

/** One server under load. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  /** Absent for what is no proxy. */
  readonly pid?: number;
  readonly token?: string;
}

/** Everything that was started, to be ended together. */
export interface Subjects extends AsyncDisposable {
  readonly all: readonly Subject[];
  /** Why something is not measured. */
  readonly missing: readonly string[];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

function start(stack: AsyncDisposableStack, command: string, args: string[]): Deno.ChildProcess {
  const child = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  stack.defer(async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.status;
  });
  return child;
}

/** Builds the floor into a folder of its own; `undefined` without Go. */
async function buildFloor(stack: AsyncDisposableStack): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const source = new URL("./floor.go", import.meta.url).pathname;
  try {
    const { success } = await new Deno.Command("go", {
      args: ["build", "-o", `${folder}/floor`, source],
      env: { GO111MODULE: "off" },
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? `${folder}/floor` : undefined;
  } catch {
    return undefined;
  }
}

/** Starts all of them; the access log and the metrics of the product are on, only its rates are raised. */
export async function startSubjects(): Promise<Subjects> {
  await using starting = new AsyncDisposableStack();
  const missing: string[] = [];
  const upstreamPort = freePort();
  start(starting, Deno.execPath(), [
    "run",
    "-A",
    new URL("./upstream.ts", import.meta.url).pathname,
    `${upstreamPort}`,
  ]);
  await untilOpen(upstreamPort);
  const all: Subject[] = [{ name: "direct", port: upstreamPort }];

  const floor = await buildFloor(starting);
  if (floor === undefined) missing.push("the floor (Go is not installed)");
  else {
    const port = freePort();
    const child = start(starting, floor, [`127.0.0.1:${port}`, `http://127.0.0.1:${upstreamPort}`]);
    await untilOpen(port);
    all.push({ name: "Go floor, no auth", port, pid: child.pid });
  }

  const idp = starting.use(await startIdp());
  const doorman = starting.use(
    await startHttpMode({
      idp,
      upstreamUrl: `http://127.0.0.1:${upstreamPort}/mcp`,
      env: { RATE_LIMIT_MCP: "1000000", MCP_PER_SUBJECT_CONCURRENCY: "1000000", LOG_LEVEL: "info" },
    }),
  );
  const { tokens } = await logIn(doorman.mcpUrl, { user: "alice" });
  all.push({ name: "mcp-doorman", port: doorman.port, pid: doorman.process.pid, token: tokens.access_token });

  const stack = starting.move();
  return { all, missing, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}
