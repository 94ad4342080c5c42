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
  /** From spawning until something answers, in milliseconds, of one more process by the subject's name. */
  readonly coldStarts: ReadonlyMap<string, () => Promise<number>>;
  /** One user's login with the product, from the challenge to the token. */
  logIn(): Promise<unknown>;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 2_500; attempt++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
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

/** So high that what is measured is not how fast a limit refuses. */
const raisedRates = {
  RATE_LIMIT_MCP: "1000000",
  RATE_LIMIT_REGISTER: "1000000",
  RATE_LIMIT_AUTHORIZE: "1000000",
  RATE_LIMIT_CONSENT: "1000000",
  RATE_LIMIT_CALLBACK: "1000000",
  RATE_LIMIT_TOKEN: "1000000",
  MCP_PER_SUBJECT_CONCURRENCY: "10000",
};

/** Starts all of them; the access log and the metrics of the product are on, only its rates are raised. */
export async function startSubjects(): Promise<Subjects> {
  await using starting = new AsyncDisposableStack();
  const missing: string[] = [];
  const coldStarts = new Map<string, () => Promise<number>>();
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
    const startFloor = async (stack: AsyncDisposableStack) => {
      const port = freePort();
      const child = start(stack, floor, [`127.0.0.1:${port}`, `http://127.0.0.1:${upstreamPort}`]);
      await untilOpen(port);
      return { name: "Go floor, no auth", port, pid: child.pid };
    };
    const subject = await startFloor(starting);
    all.push(subject);
    coldStarts.set(subject.name, () => timed(startFloor));
  }

  const idp = starting.use(await startIdp());
  const startProduct = async (stack: AsyncDisposableStack) =>
    stack.use(
      await startHttpMode({
        idp,
        upstreamUrl: `http://127.0.0.1:${upstreamPort}/mcp`,
        env: { ...raisedRates, LOG_LEVEL: "info" },
      }),
    );
  const doorman = await startProduct(starting);
  const { tokens } = await logIn(doorman.mcpUrl, { user: "alice" });
  all.push({ name: "mcp-doorman", port: doorman.port, pid: doorman.process.pid, token: tokens.access_token });
  coldStarts.set("mcp-doorman", () => timed(startProduct));

  const stack = starting.move();
  return {
    all,
    missing,
    coldStarts,
    logIn: () => logIn(doorman.mcpUrl, { user: "alice" }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** How long it takes, in milliseconds; what was started is ended. */
async function timed(starting: (stack: AsyncDisposableStack) => Promise<unknown>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const begun = performance.now();
  await starting(stack);
  return performance.now() - begun;
}
