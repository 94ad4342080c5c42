/** What the doctor found, and how it is shown: a line per finding for people, one JSON document for programs. */

/** How bad a finding is; only `fail` makes the exit code 1. */
export type Level = "ok" | "note" | "warn" | "fail";

/** One thing that was looked at. */
export interface Finding {
  readonly level: Level;
  /** A snake_case word for programs, such as `redirect_uri`. */
  readonly check: string;
  /** What was found; a sentence. */
  readonly message: string;
  /** What to do about it; a sentence. */
  readonly hint?: string;
}

/** How one MCP client would fare. */
export interface ClientOutcome {
  readonly client: string;
  readonly ok: boolean;
  /** Why it would fail; empty when it would not. */
  readonly because: readonly string[];
}

/** Collects findings in the order in which things were looked at. */
export class Report {
  readonly findings: Finding[] = [];
  readonly clients: ClientOutcome[] = [];

  add(level: Level, check: string, message: string, hint?: string): void {
    this.findings.push({ level, check, message, ...(hint === undefined ? {} : { hint }) });
  }

  /** Whether nothing failed. */
  get ok(): boolean {
    return !this.findings.some(({ level }) => level === "fail") && this.clients.every(({ ok }) => ok);
  }

  /** One object: `ok`, `findings`, `clients`. */
  toJson(): string {
    return JSON.stringify({ ok: this.ok, findings: this.findings, clients: this.clients }, undefined, 2);
  }

  toText(): string {
    const lines = this.findings.flatMap(({ level, message, hint }) => [
      `${label[level]} ${message}`,
      ...(hint === undefined ? [] : [`       ${hint}`]),
    ]);
    if (this.clients.length > 0) {
      lines.push("", "MCP clients:");
      for (const { client, ok, because } of this.clients) {
        lines.push(`${label[ok ? "ok" : "fail"]} ${client}${ok ? "" : `: ${because.join("; ")}`}`);
      }
    }
    lines.push("", this.ok ? "Nothing is wrong." : "Something is wrong; see the lines marked FAIL.");
    return lines.join("\n");
  }
}

const label: Readonly<Record<Level, string>> = {
  ok: "ok    ",
  note: "note  ",
  warn: "warn  ",
  fail: "FAIL  ",
};
