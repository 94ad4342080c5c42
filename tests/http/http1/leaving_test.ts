/** Clients that go away, at each moment. */
import assert from "node:assert/strict";
import { Reply } from "../../../lib/http/reply.ts";
import { RawConnection, say, serveHere } from "./raw_connection.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

/** A stream that says once that it was cancelled, and how it ends otherwise: never. */
function endless(first = "one") {
  const cancelled = Promise.withResolvers<number>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
    cancel: () => cancelled.resolve(performance.now()),
  });
  return { body, cancelled: cancelled.promise };
}

Deno.test("a silent stream is cancelled within a second once its client leaves, and so is one that never began", async () => {
  const streams = [endless(), endless(), endless()];
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  await using here = serveHere(async (request) => {
    const at = Number(new URL(request.url).pathname.slice(1));
    if (at === 2) {
      asked.resolve();
      await go.promise;
    }
    return new Reply(200, [], streams[at]?.body ?? null);
  });

  using closing = await RawConnection.open(here.port);
  await closing.send(get("/0"));
  await closing.until(/one\r\n/);
  const halfClosing = await RawConnection.open(here.port);
  await halfClosing.send(get("/1"));
  await halfClosing.until(/one\r\n/);
  const early = await RawConnection.open(here.port);
  await early.send(get("/2"));
  await asked.promise;

  const leftMs = performance.now();
  closing.close();
  await halfClosing.conn.closeWrite();
  early.close();
  go.resolve();
  const times = await Promise.all(streams.map(({ cancelled }) => cancelled));
  halfClosing.close();

  assert.ok(times.every((time) => time - leftMs < 1_000), `${times}`);
});

Deno.test("a handler that wants to know learns that its client left, on each request of a connection", async () => {
  const signals: AbortSignal[] = [];
  const slow = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  await using here = serveHere(async (request) => {
    const { signal } = request;
    signals.push(signal);
    if (request.url.endsWith("/quick")) return say("quick");
    signal.addEventListener("abort", () => left.resolve());
    slow.resolve();
    await left.promise;
    return say("late");
  });
  using connection = await RawConnection.open(here.port);
  for (let at = 0; at < 3; at++) {
    connection.got = "";
    await connection.send(get("/quick"));
    await connection.until(/quick$/);
  }
  await connection.send(get("/slow"));
  await slow.promise;

  connection.close();
  await left.promise;

  assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false, false, true]);
});

Deno.test("a client that leaves within its body ends the reading", async () => {
  for (const framing of ["Content-Length: 50", "Content-Length: 500000", "Transfer-Encoding: chunked"]) {
    for (const whole of [true, false]) {
      const ended = Promise.withResolvers<unknown>();
      const begun = Promise.withResolvers<void>();
      await using here = serveHere(async (request) => {
        begun.resolve();
        try {
          if (whole) await request.bytes();
          else for await (const _ of request.body ?? []);
          ended.resolve("whole");
        } catch (error) {
          ended.resolve(error);
        }
        return say("x");
      });
      using connection = await RawConnection.open(here.port);
      await connection.send(`POST / HTTP/1.1\r\nHost: h\r\n${framing}\r\n\r\n5\r\nhe`);
      await begun.promise;
      connection.close();

      assert.match(String(await ended.promise), /CutShort|Malformed|half a body|reset/i, framing);
    }
  }
});

Deno.test("a client that leaves without reading what waits for it holds nothing", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using here = serveHere(() =>
    Promise.resolve(
      new Reply(
        200,
        [],
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => cancelled.resolve(),
        }),
      ),
    )
  );
  using connection = await RawConnection.open(here.port);
  await connection.send(get("/"));
  await connection.until(/200 OK/);
  await new Promise((resolve) => setTimeout(resolve, 300));

  await connection.conn.closeWrite();
  await cancelled.promise;

  assert.equal(await here.server.drain({ deadlineMs: 2_000 }), false);
});

Deno.test("a client that does not read holds its stream back, and gets everything once it does", async () => {
  let pulled = 0;
  const most = 1_000;
  await using here = serveHere(() =>
    Promise.resolve(
      new Reply(
        200,
        [],
        new ReadableStream({
          pull(controller) {
            if (pulled++ < most) controller.enqueue(new Uint8Array(65_536));
            else controller.close();
          },
        }, { highWaterMark: 0 }),
      ),
    )
  );
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: here.port });
  await conn.write(new TextEncoder().encode(get("/").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")));
  for (let before = -1; before < pulled;) {
    before = pulled;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(pulled < most / 2, `${pulled} pieces for nobody`);

  let size = 0;
  const buffer = new Uint8Array(1_000_000);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) size += count;
  conn.close();
  assert.ok(size > most * 65_536);
});
