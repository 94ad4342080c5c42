/**
 * The door's two listeners: our own HTTP/1.1 for plain connections, which costs half the CPU and memory of the
 * runtime's server and knows limits that it does not; the runtime's for TLS, which brings HTTP/2.
 */
import { UserError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { listenHttp1 } from "./http1/listener.ts";
import type { Listening, ListenOptions, ServeHandler } from "./listening.ts";
import { listenTls, type RenewableListening, type Tls } from "./runtime_listener.ts";

export type { Listening, ListenOptions, ServeHandler } from "./listening.ts";
export type { RenewableListening, Tls } from "./runtime_listener.ts";

/** Listens. @throws UserError when the address cannot be had. */
export function listen(
  options: ListenOptions & { readonly tls: Tls },
  handler: ServeHandler,
  log: Logger,
): RenewableListening;
export function listen(options: ListenOptions, handler: ServeHandler, log: Logger): Listening;
export function listen(
  options: ListenOptions & { readonly tls?: Tls },
  handler: ServeHandler,
  log: Logger,
): Listening {
  try {
    const { tls, ...place } = options;
    return tls === undefined ? listenHttp1(place, handler, log) : listenTls({ ...place, tls }, handler, log);
  } catch (cause) {
    throw listenError(options, cause);
  }
}

function listenError({ hostname, port }: ListenOptions, cause: unknown): UserError {
  const place = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return new UserError(`Cannot listen on ${place}: the port is in use`, {
      hint: "Stop what listens there, or choose another port with --port (MCP_PROXY_PORT).",
      cause,
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new UserError(`Cannot listen on ${place}: not permitted`, {
      hint: "Ports below 1024 need a privilege; choose another port.",
      cause,
    });
  }
  return new UserError(`Cannot listen on ${place}: ${cause instanceof Error ? cause.message : cause}`, {
    hint: "Check the address to listen on (--host, MCP_PROXY_HOST).",
    cause,
  });
}
