/**
 * A client's token, put in by somebody else: the conformance suite has no way to send one. Everything of the
 * connection passes as it came, byte for byte, but for one header line more in each request.
 */
export interface Injector extends Disposable {
  readonly port: number;
  /** Goes into requests without an `Authorization` of their own, once it is known. */
  token: string | undefined;
}

const endOfHead = new TextEncoder().encode("\r\n\r\n");

/** Listens on a free port of the loopback interface and connects to another one for each connection. */
export function startInjector(targetPort: number): Injector {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const injector: Injector = {
    port: listener.addr.port,
    token: undefined,
    [Symbol.dispose]() {
      listener.close();
      for (const conn of [...open]) close(conn);
    },
  };

  function close(conn: Deno.TcpConn): void {
    if (open.delete(conn)) conn.close();
  }

  async function pass(client: Deno.TcpConn): Promise<void> {
    open.add(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort }).catch(() => undefined);
    if (server === undefined) return close(client);
    open.add(server);
    const back = pump(server, client);
    const forth = requests(client, server, () => injector.token);
    await Promise.race([back, forth].map((way) => way.catch(() => {})));
    close(client);
    close(server);
    await Promise.allSettled([back, forth]);
  }

  (async () => {
    for await (const conn of listener) pass(conn);
  })().catch(() => {});
  return injector;
}

async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await from.read(buffer)) !== null;) await writeAll(to, buffer.subarray(0, count));
}

async function requests(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  token: () => string | undefined,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let held = new Uint8Array(0);
  let bodyLeft = 0;
  for (let count; (count = await from.read(buffer)) !== null;) {
    held = joined(held, buffer.subarray(0, count));
    while (held.length > 0) {
      if (bodyLeft > 0) {
        const part = held.subarray(0, bodyLeft);
        bodyLeft -= part.length;
        held = held.slice(part.length);
        await writeAll(to, part);
        continue;
      }
      const end = indexOf(held, endOfHead);
      if (end < 0) break;
      const head = new TextDecoder("latin1").decode(held.subarray(0, end + 2));
      if (/^transfer-encoding:/im.test(head)) {
        throw new Error("A request body without a length is not passed on");
      }
      bodyLeft = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      await writeAll(to, withToken(held.subarray(0, end + 4), head, token()));
      held = held.slice(end + 4);
    }
  }
}

/** The head with one line more, right after the request line. */
function withToken(bytes: Uint8Array, head: string, token: string | undefined): Uint8Array {
  if (token === undefined || /^authorization:/im.test(head)) return bytes;
  const first = head.indexOf("\r\n") + 2;
  const line = new TextEncoder().encode(`Authorization: Bearer ${token}\r\n`);
  return joined(joined(bytes.subarray(0, first), line), bytes.subarray(first));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
