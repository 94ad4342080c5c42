/** The conformance suite as a program: which scenarios it has for clients, and running one. */

/** One version of the suite with one way to choose scenarios. */
export interface Suite {
  readonly title: string;
  readonly version: string;
  /** A frozen set of requirements; absent: all scenarios of this version's list. */
  readonly requirements?: "2025-11-25" | "2026-07-28";
}

export interface Scenario {
  readonly name: string;
  /** Whether the set counts it. */
  readonly scored: boolean;
}

export interface Outcome {
  readonly suite: Suite;
  readonly scenario: Scenario;
  readonly passed: boolean;
  /** Such as `5 of 5`. */
  readonly checks: string;
  /** Why it need not pass. */
  readonly reason: string | undefined;
  readonly output: string;
}

export const suites: readonly Suite[] = [
  { title: "0.1.16", version: "0.1.16" },
  { title: "0.2.0-alpha.12, requirements 2025-11-25", version: "0.2.0-alpha.12", requirements: "2025-11-25" },
  { title: "0.2.0-alpha.12, requirements 2026-07-28", version: "0.2.0-alpha.12", requirements: "2026-07-28" },
];

/** What no bridge between stdio and HTTP can do, or what the product does not offer. */
const reasons: Readonly<Record<string, string>> = {
  "auth/dpop": "an extension that is not offered: tokens bound to a key (DPoP)",
  "auth/dpop-nonce": "an extension that is not offered: tokens bound to a key (DPoP)",
  "auth/wif-jwt-bearer": "an extension that is not offered: workload identity federation",
  "auth/enterprise-managed-authorization":
    "an extension that is not offered: it needs an id token from the host",
  "auth/cross-app-access-complete-flow":
    "an extension that is not offered: it needs an id token from the host",
};

/** Longer than any scenario takes; the suite's process was seen to hang after its last line, so it is tried again. */
const limitMs = 75_000;
const attempts = 3;

/** Runs the suite's program to its end. */
export async function suiteCommand(
  suite: Pick<Suite, "version">,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const decoder = new TextDecoder();
  for (let attempt = 1;; attempt++) {
    const limit = AbortSignal.timeout(limitMs);
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--no-config",
        "--no-lock",
        `npm:@modelcontextprotocol/conformance@${suite.version}`,
        ...args,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: limit,
    });
    const { code, stdout, stderr } = await command.output();
    if (!limit.aborted || attempt === attempts) {
      return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
    }
  }
}

/** The suite's scenarios for clients, in its order. */
export async function scenariosOf(suite: Suite): Promise<Scenario[]> {
  const set = suite.requirements;
  const { output } = await suiteCommand(suite, [
    "list",
    ...(set === undefined ? [] : ["--requirements", set]),
  ]);
  const scenarios: Scenario[] = [];
  let part: "none" | "client" | "unscored" = "none";
  for (const line of output.split("\n")) {
    if (/^Client scenarios/.test(line)) part = "client";
    else if (/never scored/.test(line)) part = "unscored";
    else if (/^\S/.test(line)) part = "none";
    const name = /^\s+- (\S+)/.exec(line)?.[1];
    if (name === undefined || part === "none") continue;
    if (part === "unscored" && !line.includes("[client]")) continue;
    const extension = set === undefined && /\[(extension|draft)\]/.test(line);
    scenarios.push({ name, scored: part === "client" && !extension });
  }
  return scenarios;
}

/** Runs one scenario. */
export async function runScenario(suite: Suite, scenario: Scenario): Promise<Outcome> {
  const host = new URL("../../tests/conformance/host.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { code, output } = await suiteCommand(suite, [
    "client",
    "--command",
    `${Deno.execPath()} run -A --quiet --config ${config} ${host}`,
    "--scenario",
    scenario.name,
    "--timeout",
    "60000",
    ...(suite.requirements === undefined ? [] : ["--spec-version", suite.requirements]),
    // Extensions belong to no revision; the suite skips them otherwise.
    ...(suite.requirements === undefined || scenario.scored ? [] : ["--force"]),
  ]);
  const counts = /Passed:\s*(\d+)\/(\d+)/.exec(output);
  return {
    suite,
    scenario,
    passed: code === 0 && counts !== null,
    checks: counts === null ? "" : `${counts[1]} of ${counts[2]}`,
    reason: reasons[scenario.name],
    output,
  };
}
