/** The entry that a client gets: this program with what was given, or the address of a connector. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../base/errors.ts";
import type { Setting } from "../../base/setting.ts";
import { project } from "../../base/version.ts";
import type { Reading } from "../../config/reading.ts";
import { entries } from "../../config/table.ts";
import type { ServerEntry } from "./clients.ts";

/** How this very program is started again. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** The program that runs now, with absolute paths: the compiled file, or Deno with the source. */
export function thisProgram(): Program {
  if (Deno.build.standalone) return compiledProgram(Deno.execPath());
  const file = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
  return { command: Deno.execPath(), args: ["run", "-A", "--config", file("deno.json"), file("main.ts")] };
}

/** The file itself; but a copy that npx keeps may be gone tomorrow, so that npx is told to start it again. */
export function compiledProgram(path: string): Program {
  if (/[/\\]_npx[/\\]/.test(path)) return { command: "npx", args: ["-y", `${project.npm}@latest`] };
  return { command: path, args: [] };
}

/** Variables that are there for every program; what they say here is not meant for the entry. */
const ambient = ["BROWSER", "NO_PROXY", "no_proxy", "PORT", "RUST_LOG"];

/** The server entry of this command line. Throws a `UserError` without a URL. */
export function serverEntry(reading: Reading, program: Program, cwd: string): ServerEntry {
  const url = reading.values.upstreamUrl;
  if (url === undefined) {
    throw new UserError(
      "Cannot write an entry without a URL: give the MCP server's URL as the last argument",
      {
        exitCode: 2,
      },
    );
  }
  if (reading.values.transport === "http") {
    return { kind: "http", url: reading.texts.get("upstreamUrl") ?? url.href };
  }
  const env: Record<string, string> = {};
  const flags: string[] = [];
  for (const [key, setting] of entries) {
    const name = reading.given.get(key);
    const text = reading.texts.get(key);
    if (name === undefined || text === undefined || key === "upstreamUrl" || key === "transport") continue;
    if (setting.mode === "http" || ambient.includes(name)) continue;
    if (name.endsWith("_FILE") && setting.secret === true) {
      env[name] = resolve(cwd, reading.variable(name) ?? "");
    } else if (setting.env === undefined) flags.push(`--${setting.flag}`, absolute(setting, text, cwd));
    else env[setting.env] = absolute(setting, text, cwd);
  }
  const upstream = reading.texts.get("upstreamUrl") ?? url.href;
  return { kind: "stdio", command: program.command, args: [...program.args, ...flags, upstream], env };
}

/** A client starts us in a folder of its own, so that relative paths would lead nowhere. */
function absolute(setting: Setting, text: string, cwd: string): string {
  return setting.kind.placeholder === "PATH" ? resolve(cwd, text) : text;
}

/** A name for the entry: the host's, without what says nothing. */
export function defaultName(server: ServerEntry, url: URL): string {
  const host = url.hostname.replace(/^(mcp|www)\./, "");
  const name = host.replaceAll(/[^A-Za-z0-9-]+/g, "-").replace(/^-|-$/g, "");
  return name === "" ? `mcp-${server.kind}` : name.slice(0, 64);
}
