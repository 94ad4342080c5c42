/** The server scenarios of the conformance suite, against one address. */
import { suiteCommand } from "./suite.ts";

/** One version of the suite with one way to choose its server scenarios. */
export interface ServerSuite {
  readonly title: string;
  readonly version: string;
  readonly args: readonly string[];
}

/** What one check found; `status` is the suite's own word. */
export interface Check {
  readonly id: string;
  readonly status: string;
  readonly message: string;
}

/** The checks of each scenario, in the suite's order, and which scenarios it does not score. */
export interface ServerRun {
  readonly scenarios: ReadonlyMap<string, readonly Check[]>;
  readonly unscored: ReadonlySet<string>;
  readonly output: string;
}

export const serverSuites: readonly ServerSuite[] = [
  { title: "0.1.16, active", version: "0.1.16", args: ["--suite", "active"] },
  ...(["2025-11-25", "2026-07-28"] as const).map((revision) => ({
    title: `0.2.0-alpha.12, requirements ${revision}`,
    version: "0.2.0-alpha.12",
    args: ["--requirements", revision],
  })),
];

/** Runs a suite against a server. @throws Error when no result came out of it. */
export async function runServerSuite(suite: ServerSuite, url: string): Promise<ServerRun> {
  const folder = await Deno.makeTempDir({ prefix: "doorman-conformance-" });
  try {
    const { output } = await suiteCommand(suite, ["server", "--url", url, ...suite.args, "-o", folder]);
    const scenarios = new Map<string, Check[]>();
    for (
      const [, name = "", path = ""] of output.matchAll(
        /=== Running scenario: (\S+) ===[^]*?Results saved to (\S+)/g,
      )
    ) {
      scenarios.set(name, await readChecks(`${path}/checks.json`));
    }
    const [, notScored = ""] = output.split(/^Not scored for/m);
    const unscored = new Set([...notScored.matchAll(/^\s+[✓✗] (\S+)/gm)].map(([, name = ""]) => name));
    if (scenarios.size === 0) throw new Error(`Cannot read the suite's results:\n${output}`);
    return { scenarios, unscored, output };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readChecks(path: string): Promise<Check[]> {
  const checks: { id: string; status: string; errorMessage?: string }[] = JSON.parse(
    await Deno.readTextFile(path),
  );
  return checks.map(({ id, status, errorMessage }) => ({ id, status, message: errorMessage ?? "" }));
}
