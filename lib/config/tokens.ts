/**
 * The command line cut into its parts, as the GNU conventions have it: `--flag value`, `--flag=value`, `--flag`, and
 * after `--` no flags. `parseArgs` of `node:util` does the same for 3 ms of CPU at each start, which is more than all
 * settings take to be read.
 */

/** A part of the command line. */
export type Token =
  | { readonly kind: "positional"; readonly value: string }
  | {
    readonly kind: "flag";
    /** As it was typed, without its value. */
    readonly rawName: string;
    /** Without the dashes; absent for what begins with one dash, since no flag of ours does. */
    readonly name?: string;
    readonly value?: string;
    /** The value came after `=`. */
    readonly inline: boolean;
  };

/** Cuts; `takesValue` says of which flags the next argument is the value, whatever it looks like. */
export function* tokens(argv: readonly string[], takesValue: (name: string) => boolean): Iterable<Token> {
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] ?? "";
    if (arg === "--") {
      for (const value of argv.slice(at + 1)) yield { kind: "positional", value };
      return;
    }
    if (!arg.startsWith("-") || arg === "-") {
      yield { kind: "positional", value: arg };
      continue;
    }
    const equals = arg.indexOf("=");
    const rawName = equals === -1 ? arg : arg.slice(0, equals);
    if (!rawName.startsWith("--")) {
      yield { kind: "flag", rawName, inline: false };
      continue;
    }
    const name = rawName.slice(2);
    if (equals !== -1) yield { kind: "flag", rawName, name, value: arg.slice(equals + 1), inline: true };
    else if (takesValue(name) && at + 1 < argv.length) {
      yield { kind: "flag", rawName, name, value: argv[++at] ?? "", inline: false };
    } else yield { kind: "flag", rawName, name, inline: false };
  }
}
