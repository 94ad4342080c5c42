/** Whether a server can still be connected to; asked while a request waits long for its answer. */

/** How long a connection may take. */
const limitMs = 5_000;

/** A connection and nothing else: neither TLS nor a request. */
export async function isReachable(url: URL): Promise<boolean> {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const connecting = Deno.connect({ hostname, port });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), limitMs));
  connecting.then((connection) => connection.close(), () => {});
  try {
    return await Promise.race([connecting, late]) !== undefined;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** One look for all who want to know at the same time. */
export function shared(look: () => Promise<boolean>): () => Promise<boolean> {
  let looking: Promise<boolean> | undefined;
  return () => looking ??= look().finally(() => looking = undefined);
}
