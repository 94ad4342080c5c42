/** What stands behind the server. */
import { bool, duration, integer, port, text } from "../../base/kinds.ts";
import { headerList } from "../../base/header_kinds.ts";
import type { Settings } from "../../base/setting.ts";

const upstream = "Upstream (http mode)";

export const upstreamSettings = {
  upstreamPath: {
    kind: text,
    env: "MCP_UPSTREAM_PATH",
    flag: "mcp-upstream-path",
    mode: "http",
    group: upstream,
    help: "A path at the upstream that replaces the path of every request",
  },
  spawnCommand: {
    kind: text,
    env: "MCP_SPAWN_CMD",
    flag: "mcp-spawn-cmd",
    mode: "http",
    group: upstream,
    help:
      "A command that is started as the upstream, instead of a URL; quotes as in a shell, but no shell runs",
  },
  spawnPort: {
    kind: { ...port, parse: (value: string) => spawnedPort(port.parse(value)) },
    env: "MCP_SPAWN_PORT",
    flag: "mcp-spawn-port",
    mode: "http",
    group: upstream,
    help: "The port on which the started command serves HTTP",
  },
  spawnStdio: {
    kind: text,
    env: "MCP_SPAWN_STDIO",
    flag: "mcp-spawn-stdio",
    mode: "http",
    group: upstream,
    help: "A command that speaks MCP on stdio, started once for each session",
  },
  spawnMaxSessions: {
    kind: integer(1, 100_000),
    env: "MCP_SPAWN_MAX_SESSIONS",
    flag: "mcp-spawn-max-sessions",
    default: 64,
    mode: "http",
    group: upstream,
    help: "How many of these commands run at once",
  },
  spawnIdleMs: {
    kind: duration(1000),
    env: "MCP_SPAWN_IDLE_TIMEOUT",
    flag: "mcp-spawn-idle-timeout",
    default: 1_800_000,
    mode: "http",
    group: upstream,
    help: "A session that is not used for so long is ended, and its command with it",
  },
  upstreamHeaders: {
    kind: headerList,
    env: "UPSTREAM_HEADERS",
    flag: "upstream-header",
    repeatable: true,
    secret: true,
    default: [],
    mode: "http",
    group: upstream,
    help: "A header that every request to the upstream carries; one a line in the variable",
  },
  streamingOnly: {
    kind: bool,
    env: "HTTP_STREAMING_ONLY",
    flag: "http-streaming-only",
    default: false,
    mode: "http",
    group: upstream,
    help: "Refuse standing GET streams, which the protocol allows; answers to calls still stream",
  },
  identityHeaders: {
    kind: bool,
    env: "IDENTITY_HEADERS",
    flag: "identity-headers",
    default: true,
    mode: "http",
    group: upstream,
    help: "Tell the upstream who calls, as X-User-Sub, X-User-Email and X-User-Groups",
  },
} satisfies Settings;

function spawnedPort(value: number): number {
  if (value === 0) throw new Error("a whole number from 1 to 65535");
  return value;
}
