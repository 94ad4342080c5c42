import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import type { UpstreamConfig } from "./config.ts";
import { remoteUpstream } from "./remote.ts";
import type { Upstream } from "./upstream.ts";

/** Opens the configured upstream; a child process is started, a URL is not contacted. */
export async function openUpstream(
  config: UpstreamConfig,
  context: { readonly http: HttpClient; readonly log: Logger },
): Promise<Upstream> {
  if (config.kind === "url") return remoteUpstream({ ...config, http: context.http });
  const { spawnedUpstream } = await import("./spawned.ts");
  return spawnedUpstream(config, context);
}
