/**
 * What ties a worker to the process that started it: a variable says that it is one, a line on stdout says where its
 * admin listener is, and the end of stdin says that the parent is gone.
 */
export const workerVariable = "MCP_DOORMAN_WORKER";

/** The worker's side. */
export interface WorkerLink {
  /** Tells the parent that requests are served, and where the admin listener is. */
  serving(adminPort: number): void;
  /** Resolves when the parent is gone. */
  readonly parentGone: Promise<string>;
}

/** Whether this process was started by another of this program, with the same command line. */
export function isWorker(): boolean {
  return Deno.env.get(workerVariable) !== undefined;
}

/** The link of a process that is a worker; `undefined` in any other. */
export function workerLink(): WorkerLink | undefined {
  if (!isWorker()) return undefined;
  return {
    serving(adminPort) {
      Deno.stdout.writeSync(new TextEncoder().encode(`${adminPort}\n`));
    },
    parentGone: endOfInput(),
  };
}

async function endOfInput(): Promise<string> {
  const buffer = new Uint8Array(16);
  try {
    while (await Deno.stdin.read(buffer) !== null);
  } catch {
    // The pipe broke with the parent.
  }
  return "parent_gone";
}

/** The command line that starts this program again. */
export function ownCommand(): { readonly command: string; readonly args: readonly string[] } {
  const command = Deno.execPath();
  if (Deno.build.standalone) return { command, args: Deno.args };
  const main = Deno.mainModule;
  const config = new URL("./deno.json", main);
  return {
    command,
    args: ["run", "-A", "--no-prompt", "--config", config.pathname, main, ...Deno.args],
  };
}
