import type { Command } from "./command.ts";
import { installFlags } from "./install_flags.ts";

/** Every command, by the name that is the program's first argument. */
export const commands: Readonly<Record<string, Command>> = {
  "login": {
    summary: "Log in before an MCP client needs it, or finish a login that waits",
    usage: "[options] [upstream-url]",
    flags: {
      "paste": { help: "Read the address that a browser elsewhere ended on from stdin" },
      "device": { help: "Log in with a code on another device" },
      "select-account": { help: "Ask the server to let you choose the account" },
    },
    load: async () => (await import("./login.ts")).run,
  },
  "logout": {
    summary: "Revoke the tokens of an upstream, or of all, and forget them",
    usage: "[options] [upstream-url]",
    flags: { "all": { help: "Every login of every profile" } },
    load: async () => (await import("./logout.ts")).run,
  },
  "status": {
    summary: "Show the logins in the token cache",
    usage: "[options] [upstream-url]",
    flags: {},
    load: async () => (await import("./status.ts")).run,
  },
  "whoami": {
    summary: "Say who is logged in where",
    usage: "[options] [upstream-url]",
    flags: {},
    load: async () => (await import("./whoami.ts")).run,
  },
  "revoke": {
    summary: "End all logins of one user or by one client, in http mode",
    usage: "--subject <subject> | --client <client> [options]",
    flags: {
      "subject": { value: "SUBJECT", help: "The user, as the log names it" },
      "client": { value: "CLIENT", help: "The client, as the log names it" },
    },
    load: async () => (await import("./revoke.ts")).run,
  },
  "doctor": {
    summary: "Check the configuration, the IdP, the upstream and what each MCP client would meet",
    usage: "[options] [upstream-url | public-url]",
    flags: {
      "json": { help: "Print the findings as JSON" },
      "login": { help: "Then log in with the MCP SDK's client and list the tools" },
    },
    load: async () => (await import("./doctor.ts")).run,
  },
  "install": {
    summary:
      "Write the entry into Claude Desktop, Claude Code, Cursor, VS Code, Codex, Windsurf or Gemini CLI",
    usage: "<client> [options] <upstream-url>",
    flags: installFlags,
    load: async () => (await import("./install.ts")).run,
  },
  "secret": {
    summary: "Print a good TOKEN_SIGNING_SECRET",
    usage: "",
    flags: {},
    load: async () => (await import("./secret.ts")).run,
  },
};
