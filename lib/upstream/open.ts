import { systemClock } from "../base/clock.ts";
import type { UpstreamConfig } from "./config.ts";
import { remoteUpstream } from "./remote.ts";
import { transportTo, type UpstreamContext } from "./transport_to.ts";
import type { Upstream } from "./upstream.ts";

/** Opens the configured upstream; a child process is started, a URL is not contacted. */
export async function openUpstream(config: UpstreamConfig, context: UpstreamContext): Promise<Upstream> {
  if (config.kind === "url") {
    return remoteUpstream({
      ...config,
      transport: transportTo(config.url, config.connectTimeoutMs, context),
    });
  }
  if (config.kind === "spawn_stdio") {
    const { StdioChildUpstream } = await import("./stdio_child/upstream.ts");
    return new StdioChildUpstream(config, { log: context.log, clock: systemClock });
  }
  const { spawnedUpstream } = await import("./spawned.ts");
  return spawnedUpstream(config, context);
}
