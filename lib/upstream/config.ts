/** Where MCP requests go. Times in milliseconds. */
export type UpstreamConfig =
  | {
    readonly kind: "url";
    readonly url: URL;
    readonly connectTimeoutMs: number;
    readonly firstByteTimeoutMs: number;
  }
  | {
    readonly kind: "spawn";
    readonly command: readonly string[];
    readonly port: number;
    readonly path: string;
    readonly connectTimeoutMs: number;
    readonly firstByteTimeoutMs: number;
    /** Names of variables that the child does not get: our secrets. */
    readonly withheldVariables?: readonly string[];
  }
  | {
    readonly kind: "spawn_stdio";
    readonly command: readonly string[];
    /** Children at once. */
    readonly maxSessions: number;
    /** A session that nobody has used for so long is ended. */
    readonly idleMs: number;
    /** The longest message of a child, in characters. */
    readonly maxLineLength: number;
    readonly withheldVariables: readonly string[];
  };
