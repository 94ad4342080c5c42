/** The tools that the upstream has listed, as far as calling them needs: which arguments go into headers. */
import { joinBytes } from "../base/join_bytes.ts";
import type { Logger } from "../base/log.ts";
import { type ParamHeader, paramHeaders } from "./param_headers.ts";

const decoder = new TextDecoder();

/** Fed with every `tools/list` answer of revision 2026-07-28. */
export class ToolSchemas {
  readonly #headers = new Map<string, readonly ParamHeader[]>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What a call of this tool repeats in headers; nothing for a tool that was never listed. */
  headersOf(tool: string): readonly ParamHeader[] {
    return this.#headers.get(tool) ?? [];
  }

  /**
   * Takes an answer on its way to the host. Tools whose annotations break the rules are left out, as an HTTP client
   * must; without such the answer passes as it is.
   */
  take(parts: readonly Uint8Array[]): readonly Uint8Array[] {
    const message = JSON.parse(decoder.decode(joinBytes(parts)));
    const tools: unknown = message.result?.tools;
    if (!Array.isArray(tools)) return parts;
    const good = tools.filter((tool) => this.#learn(tool?.name, tool?.inputSchema));
    if (good.length === tools.length) return parts;
    return [
      new TextEncoder().encode(JSON.stringify({ ...message, result: { ...message.result, tools: good } })),
    ];
  }

  #learn(name: unknown, inputSchema: unknown): boolean {
    if (typeof name !== "string") return true;
    const found = paramHeaders(inputSchema);
    if ("broken" in found) {
      this.#headers.delete(name);
      this.#log.warn("tool_left_out", { rpcTool: name, reason: found.broken });
      return false;
    }
    this.#headers.set(name, found.headers);
    return true;
  }
}
