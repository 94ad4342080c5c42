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
  };
