/** The way of the messages: our own HTTP/1.1, or fetch where only that will do. */
import { fetchTransport } from "../upstream/fetch_transport.ts";
import { transportTo, type UpstreamContext } from "../upstream/transport_to.ts";
import type { Transport } from "../upstream/transport.ts";

/** What is about the connection, which only fetch sends as somebody wants it. */
const connectionHeader =
  /^(?:host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * A call over our own HTTP/1.1 costs a third of fetch's CPU. Through a corporate proxy requests go by fetch, and with
 * fixed headers that are about the connection. Nothing is opened before the first request.
 */
export function openTransport(
  url: URL,
  fixedHeaders: readonly (readonly [name: string, value: string])[],
  context: UpstreamContext,
): Transport {
  if (fixedHeaders.some(([name]) => connectionHeader.test(name))) {
    return fetchTransport(url.origin, context.http);
  }
  // Time limits are those of each request.
  return transportTo(url, 0, context);
}
