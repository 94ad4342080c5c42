import type { Command } from "./command.ts";

/** Every command, by the name that is the program's first argument. */
export const commands: Readonly<Record<string, Command>> = {
  "secret": {
    summary: "Print a good TOKEN_SIGNING_SECRET",
    usage: "",
    flags: {},
    load: async () => (await import("./secret.ts")).run,
  },
};
