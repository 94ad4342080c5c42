/** The load of the http bench: small calls over kept connections, written and read as bytes so that it costs little. */

/** What one run gave; times in milliseconds. */
export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly perSec: number;
  readonly p50: number;
  readonly p99: number;
}

const body =
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}';

/** Calls the port over `connections` connections for `seconds`. */
export async function load(
  port: number,
  options: { connections: number; seconds: number; token?: string },
): Promise<LoadResult> {
  const lines = [
    "POST /mcp HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    "MCP-Protocol-Version: 2025-06-18",
    `Content-Length: ${body.length}`,
    ...(options.token === undefined ? [] : [`Authorization: Bearer ${options.token}`]),
  ];
  const request = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const times: number[] = [];
  let failed = 0;
  const started = performance.now();
  const until = started + options.seconds * 1_000;
  await Promise.all(Array.from({ length: options.connections }, async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const buffer = new Uint8Array(16_384);
    for (let now = performance.now(); now < until;) {
      await conn.write(request);
      if (!await answered(conn, buffer)) failed++;
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
  }));
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  const elapsedSec = (performance.now() - started) / 1_000;
  return { calls: times.length, failed, perSec: times.length / elapsedSec, p50: at(0.5), p99: at(0.99) };
}

const decoder = new TextDecoder("latin1");

/** Reads one answer to its end; false when it is not a 200. */
async function answered(conn: Deno.TcpConn, buffer: Uint8Array): Promise<boolean> {
  let text = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("the connection was closed");
    text += decoder.decode(buffer.subarray(0, count));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
    const complete = length === undefined
      ? text.endsWith("0\r\n\r\n")
      : text.length >= end + 4 + Number(length);
    if (complete) return text.startsWith("HTTP/1.1 200");
  }
}
