import type { TestIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { type DoormanOptions, type DoormanProcess, startDoorman } from "./process.ts";

export interface HttpModeOptions extends DoormanOptions {
  /** Default: the front for this IdP as `--inbound-auth-provider oidc`. */
  idp?: TestIdp;
  /** Absent: the environment names a child. */
  upstreamUrl?: string;
  /** Further arguments, before the upstream's URL. */
  args?: readonly string[];
  /** Default: any free one; give it again to start anew at the same address. */
  port?: number;
  /** The public address, where something stands before it; default: the port at `localhost`. */
  baseUrl?: string;
  /** Do not wait until it answers. */
  dontWait?: boolean;
}

export interface HttpMode extends AsyncDisposable {
  readonly process: DoormanProcess;
  readonly port: number;
  readonly baseUrl: string;
  readonly mcpUrl: string;
  /** SIGTERM, or a kill where signals do not exist, and the exit code. */
  stop(): Promise<number>;
}

/** Starts http mode at `http://localhost:<port>` in front of an upstream and waits until `/healthz` answers. */
export async function startHttpMode(options: HttpModeOptions): Promise<HttpMode> {
  const { idp } = options;
  const port = options.port ?? unusedPort();
  const baseUrl = options.baseUrl ?? `http://localhost:${port}`;
  if (idp !== undefined) await idp.addRedirect(`${baseUrl}/auth/callback`);
  const process = startDoorman([
    "--transport",
    "http",
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--proxy-base-url",
    baseUrl,
    ...(idp === undefined ? [] : [
      "--inbound-auth-provider",
      "oidc",
      "--oidc-issuer-url",
      idp.issuer,
      "--oidc-client-id",
      idp.clientId,
      "--oidc-client-secret",
      idp.clientSecret,
    ]),
    ...(options.args ?? ["--outbound-auth", "none"]),
    ...(options.upstreamUrl === undefined ? [] : [options.upstreamUrl]),
  ], { ...options, env: { METRICS_ADDR: "127.0.0.1:0", ...options.env } });
  const http: HttpMode = {
    process,
    port,
    baseUrl,
    mcpUrl: `${baseUrl}/mcp`,
    async stop() {
      process.signal(Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
      return await process.exited;
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
  if (options.dontWait !== true) {
    try {
      await untilHealthy(http);
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }
  return http;
}

async function untilHealthy(http: HttpMode): Promise<void> {
  let ended = false;
  http.process.exited.then(() => ended = true);
  for (let attempt = 0; attempt < 400 && !ended; attempt++) {
    const answer = await fetch(`${http.baseUrl}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`http mode did not start:\n${http.process.stderr.slice(-20).join("\n")}`);
}

/** Waits until somebody answers there with success. */
export async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing answers at ${url}`);
}
