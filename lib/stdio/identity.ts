/** The words that replace the upstream's own in the answer that introduces it; nothing else of it changes. */
import { joinBytes } from "../base/join_bytes.ts";
import type { IdentityOverrides } from "./config.ts";
import type { Waiting } from "./exchange.ts";

/** What to do with the answer to `method`; `undefined` when it passes as it is. */
export function overrideIdentity(
  method: string | undefined,
  identity: IdentityOverrides,
): Waiting["onAnswer"] {
  if (method !== "initialize" && method !== "server/discover") return undefined;
  const { name, version, websiteUrl, instructions } = identity;
  const info = withoutUndefined({ name, version, websiteUrl });
  const words = withoutUndefined({ instructions });
  if (Object.keys(info).length + Object.keys(words).length === 0) return undefined;
  return (parts, head) => {
    if (!head.hasResult) return parts;
    const message = JSON.parse(new TextDecoder().decode(joinBytes(parts)));
    const { result } = message;
    if (result === null || typeof result !== "object") return parts;
    const meta = result._meta?.["io.modelcontextprotocol/serverInfo"];
    const changed = {
      ...result,
      ...words,
      ...("serverInfo" in result || meta === undefined
        ? { serverInfo: { ...result.serverInfo, ...info } }
        : {}),
      ...(meta === undefined
        ? {}
        : { _meta: { ...result._meta, "io.modelcontextprotocol/serverInfo": { ...meta, ...info } } }),
    };
    return [new TextEncoder().encode(JSON.stringify({ ...message, result: changed }))];
  };
}

function withoutUndefined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
