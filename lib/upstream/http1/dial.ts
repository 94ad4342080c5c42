/** Opens connections to one origin. */
import { UpstreamError } from "../upstream.ts";

/** Where and how to connect. */
export interface DialOptions {
  /** Host name or address, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly tls?: { readonly caCerts: string[]; readonly cert?: string; readonly key?: string };
  /** 0: no limit. */
  readonly timeoutMs: number;
}

/** A new connection, its TLS handshake done. @throws UpstreamError `unreachable` or `timeout` */
export async function dial(options: DialOptions): Promise<Deno.Conn> {
  const connecting = open(options);
  if (options.timeoutMs === 0) return await connecting;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new UpstreamError("timeout", `no connection within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
  });
  try {
    return await Promise.race([connecting, limit]);
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function open({ hostname, port, tls }: DialOptions): Promise<Deno.Conn> {
  let failure: unknown;
  for await (const address of addressesOf(hostname)) {
    let tcp: Deno.TcpConn;
    try {
      if (tls?.cert !== undefined && tls.key !== undefined) {
        // The runtime takes a client certificate only where it also resolves the name.
        const { caCerts, cert, key } = tls;
        return await Deno.connectTls({ hostname, port, caCerts, alpnProtocols, cert, key });
      }
      tcp = await Deno.connect({ hostname: address, port });
      tcp.setNoDelay(true);
    } catch (error) {
      failure = error;
      continue;
    }
    if (tls === undefined) return tcp;
    // What is wrong with a certificate is not hidden by another address that does not answer.
    return await secure(tcp, hostname, tls.caCerts).catch((error) => {
      throw notConnected(hostname, port, error);
    });
  }
  throw notConnected(hostname, port, failure);
}

function notConnected(hostname: string, port: number, failure: unknown): UpstreamError {
  const text = failure instanceof Error ? failure.message : String(failure);
  return new UpstreamError("unreachable", `cannot connect to ${hostname}:${port}: ${text}`, failure);
}

const alpnProtocols = ["http/1.1"];

async function secure(tcp: Deno.TcpConn, hostname: string, caCerts: string[]): Promise<Deno.Conn> {
  try {
    const conn = await Deno.startTls(tcp, { hostname, caCerts, alpnProtocols });
    await conn.handshake();
    return conn;
  } catch (error) {
    try {
      tcp.close();
    } catch {
      // Taken over by TLS, which has closed it.
    }
    throw error;
  }
}

/**
 * The name first, as the system resolves it; then its addresses, since the runtime tries only the first one that the
 * system gives.
 */
async function* addressesOf(hostname: string): AsyncGenerator<string> {
  yield hostname;
  if (/^[\d.]+$/.test(hostname) || hostname.includes(":")) return;
  if (hostname === "localhost") {
    yield* ["127.0.0.1", "::1"];
    return;
  }
  for (const kind of ["A", "AAAA"] as const) {
    yield* await Deno.resolveDns(hostname, kind).catch(() => []);
  }
}
