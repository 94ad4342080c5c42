/** The streams of the http bench. */
import { rssMb } from "./process_stat.ts";
import type { Subject } from "./subjects.ts";

function headersOf({ token }: Subject): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function callTool(subject: Subject, name: string, count: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${subject.port}/mcp`, {
    method: "POST",
    headers: { ...headersOf(subject), "content-type": "application/json" },
    body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","count":${count}}}`,
  });
}

/** How long each of some events, 10 ms apart, was under way; milliseconds, shortest first. */
export async function eventLatencies(subject: Subject, count: number): Promise<number[]> {
  const response = await callTool(subject, "paced", count);
  const latencies: number[] = [];
  for await (const piece of (response.body ?? ReadableStream.from([])).pipeThrough(new TextDecoderStream())) {
    const now = performance.timeOrigin + performance.now();
    for (const [, at] of piece.matchAll(/"at":([\d.]+)/g)) latencies.push(now - Number(at));
  }
  if (latencies.length < count) {
    throw new Error(`${latencies.length} of ${count} events came through ${subject.name}`);
  }
  return latencies.sort((a, b) => a - b);
}

/** Events a second of one burst. */
export async function burst(subject: Subject, count: number): Promise<number> {
  const started = performance.now();
  const text = await (await callTool(subject, "stream", count)).text();
  const got = text.split("\n\n").length - 1;
  if (got < count) throw new Error(`${got} of ${count} events came through ${subject.name}`);
  return count / ((performance.now() - started) / 1_000);
}

/** KB of memory that an open, silent stream costs. */
export async function idleStreamKb(subject: Subject, count: number): Promise<number | undefined> {
  const before = rssMb(subject.pid);
  const conns: Deno.TcpConn[] = [];
  const authorization = subject.token === undefined ? "" : `Authorization: Bearer ${subject.token}\r\n`;
  const request = new TextEncoder().encode(
    `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${subject.port}\r\nAccept: text/event-stream\r\n${authorization}\r\n`,
  );
  for (let at = 0; at < count; at++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: subject.port });
    await conn.write(request);
    await conn.read(new Uint8Array(4_096));
    conns.push(conn);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const after = rssMb(subject.pid);
  conns.forEach((conn) => conn.close());
  return before === undefined || after === undefined ? undefined : (after - before) * 1024 / count;
}
