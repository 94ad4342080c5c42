/**
 * What the operator or user of the program can act on: one line that says what could not be done and what was
 * found, and a hint that says what to do. `main.ts` prints it and exits; nothing else ends the process.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  /** What to do about it; a sentence. */
  readonly hint: string | undefined;
  /** 2 for a wrong command line or configuration, 1 for anything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { hint?: string; exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Every problem of a configuration at once; each line names the setting, what was found and what is expected. */
export class ConfigError extends UserError {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"), { exitCode: 2 });
  }
}

/** The message of anything thrown, with the messages of its causes, on one line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    if (!parts.some((part) => part.includes(at.message))) parts.push(at.message);
  }
  return (parts.length > 0 ? parts.join(": ") : String(error)).replaceAll(/\s+/g, " ");
}
