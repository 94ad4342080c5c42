import type { OwnFlag } from "../config/arguments.ts";

/** The flags of `install` that are no settings. */
export const installFlags: Readonly<Record<string, OwnFlag>> = {
  "name": { value: "NAME", help: "The entry's name; by default made from the host" },
  "print": { help: "Print the entry as the client's file would have it, and change nothing" },
  "remove": { help: "Take the entry out again" },
  "project": { help: "The file of the project in the working directory, instead of the user's" },
  "config-file": { value: "PATH", help: "The client's file, where it is not at its usual place" },
};
