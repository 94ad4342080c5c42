/** A server without any library, so that a connection can be closed at the worst moment. */

/** Answers a message, whose `head` is that of its request, with these bytes; `undefined` closes the connection. */
export function bareServer(
  answer: (rpc: { method: string; id: unknown }, head: string) => string | undefined,
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen: string[] = [];
  const serve = async (connection: Deno.TcpConn) => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const piece of connection.readable) {
      text += decoder.decode(piece);
      const found = /^(.*?)\r\n\r\n[^{]*(\{.*\})(?:\r\n0\r\n\r\n)?$/s.exec(text);
      if (found === null) continue;
      text = "";
      const rpc = JSON.parse(found[2] ?? "");
      seen.push(rpc.method);
      const reply = answer(rpc, found[1] ?? "");
      if (reply === undefined) return;
      const writer = connection.writable.getWriter();
      await writer.write(new TextEncoder().encode(reply.replace(cut, "")));
      writer.releaseLock();
      if (reply.endsWith(cut)) return;
    }
  };
  const running = (async () => {
    for await (const connection of listener) {
      serve(connection).catch(() => {}).finally(() => quietly(connection));
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}/mcp`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await running.catch(() => {});
    },
  };
}

/** At the end of an answer: the connection is closed behind it. */
export const cut = "\u0000";

function quietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}

/** An HTTP answer as it is on the wire. */
export function httpText(status: string, body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}
