import type { HttpConfig } from "../../http/config.ts";
import { isCredentialHeaderName } from "../../outbound/header_value.ts";
import type { UpstreamConfig } from "../../upstream/config.ts";
import type { Reading } from "../reading.ts";
import { label } from "../settings.ts";
import { entries } from "../table.ts";
import { splitCommand } from "./split_command.ts";

const placeholder = new URL("http://upstream.invalid/");

/** What stands behind us: a URL or a child, and never both. */
export function upstreamConfig(reading: Reading): UpstreamConfig {
  const { values, given, problems } = reading;
  const times = {
    connectTimeoutMs: values.connectTimeoutMs ?? 10_000,
    firstByteTimeoutMs: values.firstByteTimeoutMs,
  };
  const ways = (["upstreamUrl", "spawnCommand", "spawnStdio"] as const).filter((key) => given.has(key));
  if (ways.length === 0) {
    problems.push(
      "Cannot start without an upstream: give the MCP server's URL as the argument or as UPSTREAM_MCP_URL, " +
        "or a command as MCP_SPAWN_CMD",
    );
  } else if (ways.length > 1) {
    problems.push(
      `Cannot use ${ways.map((key) => given.get(key)).join(" and ")} together: keep one upstream`,
    );
  }
  if (values.reusePort && given.get("upstreamUrl") === undefined && ways.length > 0) {
    problems.push(
      `Cannot use ${
        given.get("reusePort")
      } with an upstream that is started as a child: the other process has its own`,
    );
  }
  if (values.spawnStdio !== undefined) {
    return {
      kind: "spawn_stdio",
      command: commandOf(values.spawnStdio, "spawnStdio", problems),
      maxSessions: values.spawnMaxSessions,
      idleMs: values.spawnIdleMs,
      maxLineLength: 64 * 1024 * 1024,
      withheldVariables: ourSecrets,
    };
  }
  if (values.spawnCommand === undefined) {
    if (given.has("spawnPort")) {
      problems.push(`Cannot use ${label("spawnPort")} without ${label("spawnCommand")}`);
    }
    return { kind: "url", url: values.upstreamUrl ?? placeholder, ...times };
  }
  if (values.spawnPort === undefined && !given.has("spawnPort")) {
    problems.push(
      `Cannot use ${label("spawnCommand")} without ${label("spawnPort")}: the port on which it serves`,
    );
  }
  return {
    kind: "spawn",
    command: commandOf(values.spawnCommand, "spawnCommand", problems),
    withheldVariables: ourSecrets,
    port: values.spawnPort ?? 0,
    path: spawnPath(reading),
    ...times,
  };
}

function commandOf(text: string, key: "spawnCommand" | "spawnStdio", problems: string[]): string[] {
  const command = splitCommand(text) ?? [];
  if (command.length === 0) {
    problems.push(`Cannot use the value of ${label(key)}: a quote is not closed, or nothing is there`);
  }
  return command;
}

/** The variables that no child gets. */
const ourSecrets: readonly string[] = entries.filter(([, { secret }]) => secret === true)
  .flatMap(([, { env, envAliases = [] }]) => [env, ...envAliases])
  .filter((name) => name !== undefined)
  .flatMap((name) => [name, `${name}_FILE`]);

/** The path at the child: the one that replaces every request's, else the mount's own. */
function spawnPath({ values, dialect }: Reading): string {
  if (values.upstreamPath !== undefined) return absolute(values.upstreamPath);
  return dialect.mount === "all" ? "/" : "/mcp";
}

/** The path that replaces every request's own, if one is configured. */
export function upstreamPathOverride({ values, problems }: Reading): string | undefined {
  if (values.upstreamPath === undefined) return undefined;
  const path = absolute(values.upstreamPath);
  if (/[?#\s\\]/.test(path) || new URL(path, "http://x").pathname !== path) {
    problems.push(`Cannot use "${path}" as ${label("upstreamPath")}: expected a plain path such as /mcp`);
  }
  return path;
}

/** Fixed headers of every request, in lower case; the names that are somebody else's are refused. */
export function upstreamHeaders({ values, given, problems }: Reading): HttpConfig["upstreamHeaders"] {
  const headers = values.upstreamHeaders.map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name] of headers) {
    if (name === "authorization") {
      problems.push(`Cannot set Authorization with ${label("upstreamHeaders")}: use OUTBOUND_AUTH=static`);
    } else if (!isCredentialHeaderName(name) || /^(mcp|x[-_]user)[-_]/.test(name)) {
      problems.push(
        `Cannot set "${name}" with ${label("upstreamHeaders")}: that header has a meaning of its own`,
      );
    }
  }
  if (headers.length > 0 && given.has("spawnStdio")) {
    problems.push(
      `Cannot use ${label("upstreamHeaders")} with ${given.get("spawnStdio")}: stdio has no headers`,
    );
  }
  return headers;
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
