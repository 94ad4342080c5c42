/**
 * A way to have the runtime's fetch connect to one address and no other: a CONNECT proxy on loopback for a single
 * call, which leads to that address whatever it is asked for. TLS runs end to end through it, by the URL's name.
 *
 *     fetch ── CONNECT name:443 ──> gate ── checked address:443 ──> host
 *                                     `──── CONNECT address:443 ──> the corporate proxy ──> host
 */

/** Where the gate leads. */
export interface GateTarget {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** An http proxy that is the only way out. */
  readonly via?: URL;
}

/** An open gate; disposing it cuts what still runs through it. */
export interface Gate extends Disposable {
  /** For `Deno.createHttpClient`. */
  readonly proxyUrl: string;
  /** Why the last connection through it came to nothing. */
  failure(): unknown;
}

const maxHeadBytes = 8_192;

/** Opens a gate on a free port of 127.0.0.1. */
export function openGate(target: GateTarget): Gate {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let failure: unknown;
  let closed = false;
  const keep = (conn: Deno.Conn) => {
    if (closed) conn.close();
    open.add(conn);
    return conn;
  };

  const serve = async (near: Deno.Conn): Promise<void> => {
    try {
      await readHead(near);
      const far = keep(await connect(target, keep));
      await near.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
      await Promise.all([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]);
    } catch (error) {
      if (!closed) failure ??= error;
      drop(near);
    }
  };
  const accept = async (): Promise<void> => {
    try {
      for await (const near of listener) serve(keep(near));
    } catch {
      // Closed.
    }
  };
  accept();

  return {
    proxyUrl: `http://127.0.0.1:${listener.addr.port}`,
    failure: () => failure,
    [Symbol.dispose]() {
      closed = true;
      listener.close();
      for (const conn of open) drop(conn);
    },
  };
}

function drop(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

async function connect(target: GateTarget, keep: (conn: Deno.Conn) => Deno.Conn): Promise<Deno.Conn> {
  const { address, port, via } = target;
  if (via === undefined) return await Deno.connect({ hostname: address, port });
  const proxy = keep(
    await Deno.connect({ hostname: via.hostname.replace(/^\[|\]$/g, ""), port: Number(via.port || 80) }),
  );
  const authority = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const user = via.username === ""
    ? ""
    : `Proxy-Authorization: Basic ${
      btoa(`${decodeURIComponent(via.username)}:${decodeURIComponent(via.password)}`)
    }\r\n`;
  const head = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${user}\r\n`;
  await proxy.write(new TextEncoder().encode(head));
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(await readHead(proxy))?.[1];
  if (status !== "200") throw new Error(`the proxy answered ${status ?? "no HTTP"}`);
  return proxy;
}

/** Up to the empty line; neither side sends anything after it before it was answered. */
async function readHead(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(maxHeadBytes);
  let length = 0;
  while (length < buffer.length) {
    const read = await conn.read(buffer.subarray(length));
    if (read === null) break;
    length += read;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    if (text.endsWith("\r\n\r\n")) return text;
  }
  throw new Error("the connection was closed before the end of its head");
}
