/** Many event streams at once, and readers that do not read, through the running program. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";
import { openDescriptors, residentMiB, watchMemory } from "../support/proc.ts";

const linux = Deno.build.os === "linux";
const count = 2_000;
const events = { "content-type": "text/event-stream" };
const encoder = new TextEncoder();

/** A listening stream on a connection of its own. */
class RawStream {
  #text = "";

  private constructor(private readonly connection: Deno.Conn) {}

  static async open(port: number, token: string): Promise<RawStream> {
    const stream = new RawStream(await Deno.connect({ hostname: "127.0.0.1", port }));
    const head = `GET /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${token}\r\n` +
      "Accept: text/event-stream\r\n\r\n";
    await stream.connection.write(encoder.encode(head));
    return stream;
  }

  /** Reads until the text has come. */
  async until(text: string): Promise<void> {
    const buffer = new Uint8Array(4_096);
    while (!this.#text.includes(text)) {
      const size = await this.connection.read(buffer);
      if (size === null) throw new Error(`the stream ended after ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(buffer.subarray(0, size));
    }
  }

  close(): void {
    this.connection.close();
  }
}

/** In parts, so that the queue of new connections does not overflow. */
async function inParts<T>(total: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < total) made.push(...await Promise.all(Array.from({ length: 100 }, make)));
  return made;
}

Deno.test({
  name: `${count} streams at once: each gets its events, and nothing of them is left`,
  ignore: !linux,
}, async () => {
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const closed = Promise.withResolvers<void>();
  const half = Promise.withResolvers<void>();
  await using idp = await startIdp();
  await using upstream = startHandler(() => {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(given) {
        open.add(controller = given);
        given.enqueue(encoder.encode("data: first\n\n"));
      },
      cancel() {
        open.delete(controller);
        if (open.size === count / 2) half.resolve();
        if (open.size === 0) closed.resolve();
      },
    });
    return new Response(body, { headers: events });
  });
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    env: { RATE_LIMIT_MCP: "1000000", LOG_LEVEL: "warn" },
  });
  const { tokens } = await logIn(http.mcpUrl);
  const before = openDescriptors(http.process.pid);

  const streams = await inParts(count, () => RawStream.open(http.port, tokens.access_token));
  await Promise.all(streams.map((stream) => stream.until("data: first\n\n")));
  assert.equal(open.size, count);
  for (const controller of open) controller.enqueue(encoder.encode("data: second\n\n"));
  await Promise.all(streams.map((stream) => stream.until("data: second\n\n")));

  for (const stream of streams.splice(0, count / 2)) stream.close();
  await half.promise;
  for (const controller of open) controller.enqueue(encoder.encode("data: third\n\n"));
  await Promise.all(streams.map((stream) => stream.until("data: third\n\n")));
  for (const stream of streams) stream.close();
  await closed.promise;
  for (let attempt = 0; openDescriptors(http.process.pid) > before + 3 && attempt < 50; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(openDescriptors(http.process.pid) <= before + 3);
});

Deno.test(
  { name: "clients that do not read hold the upstream back, not the memory", ignore: !linux },
  async () => {
    const readers = 40;
    let sent = 0;
    let open = 0;
    let closed = Promise.withResolvers<void>();
    const piece = encoder.encode(`data: ${"x".repeat(65_000)}\n\n`);
    await using idp = await startIdp();
    await using upstream = startHandler(() => {
      open++;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += piece.length;
          controller.enqueue(piece);
        },
        cancel() {
          if (--open === 0) closed.resolve();
        },
      }, { highWaterMark: 0 });
      return new Response(body, { headers: events });
    });
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      env: { RATE_LIMIT_MCP: "1000000", LOG_LEVEL: "warn" },
    });
    const { tokens } = await logIn(http.mcpUrl);
    /** Opens streams, reads a little of each, and waits until the upstream does not get rid of any more. */
    async function stalled(): Promise<RawStream[]> {
      const streams = await Promise.all(
        Array.from({ length: readers }, () => RawStream.open(http.port, tokens.access_token)),
      );
      await Promise.all(streams.map((stream) => stream.until("data: ")));
      for (let attempt = 0, early = -1; early !== sent; attempt++) {
        assert.ok(attempt < 30, "the upstream goes on sending to nobody");
        early = sent;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return streams;
    }

    for (const stream of await stalled()) stream.close();
    await closed.promise;
    const before = await residentMiB(http.process.pid);
    closed = Promise.withResolvers<void>();
    await using memory = watchMemory(http.process.pid);
    const streams = await stalled();

    // What the system's own buffers hold is not ours to bound; ours is a piece or two for each.
    assert.ok(memory.peakMiB - before < 80, `${before} MiB before, ${memory.peakMiB} MiB at most`);
    for (const stream of streams) stream.close();
    await closed.promise;
  },
);
