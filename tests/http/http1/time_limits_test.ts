/** How long a connection may wait, with limits of a few hundred milliseconds. */
import assert from "node:assert/strict";
import { Reply } from "../../../lib/http/reply.ts";
import { answersIn, RawConnection, say, serveHere } from "./raw_connection.ts";

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/** How long the connection lasts, in milliseconds. */
async function lasts(
  port: number,
  talk: (connection: RawConnection) => Promise<void>,
  hear: (text: string) => void = () => {},
): Promise<number> {
  using connection = await RawConnection.open(port);
  const startedMs = performance.now();
  await talk(connection);
  await connection.toEnd().catch(() => {});
  hear(connection.got);
  return performance.now() - startedMs;
}

Deno.test("who says nothing, or sends a head byte by byte, is cut off in time; half a head gets 408", async () => {
  let served = 0;
  const got: string[] = [];
  await using here = serveHere(() => Promise.resolve(say(`${++served}`)), {
    limits: { headMs: 400, idleMs: 60_000 },
  });
  const trickle = (first: string) => async (connection: RawConnection) => {
    for (const character of first + "X: abcdefghijklmnopqrstuvwxyz") {
      await connection.send(character).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  };

  const measured = async (talk: (connection: RawConnection) => Promise<void>) => {
    const at = got.push("") - 1;
    return await lasts(here.port, talk, (text) => got[at] = text);
  };
  const times = await Promise.all([
    measured(() => Promise.resolve()),
    measured((connection) => connection.send("GET / HTTP/1.1\r\nHo")),
    measured((connection) => connection.send("\r\n".repeat(10))),
    measured(trickle("")),
    // The first request was answered; the second one never comes whole.
    measured(async (connection) => {
      await connection.send(get);
      await connection.until(/1$/);
      await trickle("")(connection);
    }),
  ]);

  assert.ok(times.every((time) => time >= 380), `${times}`);
  assert.equal(served, 1);
  const answers = got.map((text) => answersIn(text).map(({ status }) => status));
  assert.deepEqual(answers, [[], [408], [], [408], [200, 408]]);
});

Deno.test("a request that was given up is not served when the rest of it comes", async () => {
  let served = 0;
  await using here = serveHere(() => Promise.resolve(say(`${++served}`)), { limits: { headMs: 200 } });
  using connection = await RawConnection.open(here.port);

  await connection.send("GET / HTTP/1.1\r\nHost: ");
  await connection.until(/ 408 /);
  await connection.send(`h\r\n\r\n${get}`);

  assert.deepEqual(answersIn(await connection.toEnd()).map(({ status }) => status), [408]);
  // Our side is closed by now; the server goes on reading for a moment.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(served, 0);
});

Deno.test("an idle connection is kept for its own time, which a request renews, and a stray line end does not shorten", async () => {
  await using here = serveHere(() => Promise.resolve(say("x")), { limits: { headMs: 200, idleMs: 900 } });

  const time = await lasts(here.port, async (connection) => {
    for (let at = 1; at <= 3; at++) {
      await connection.send(`${get}\r\n`);
      await connection.until(new RegExp(`(x[^]*){${at}}`));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });

  assert.ok(time >= 1_900, `${time}`);
});

Deno.test("a body that nobody reads is waited for no longer than a head", async () => {
  await using here = serveHere(() => Promise.resolve(say("x")), { limits: { headMs: 300, idleMs: 60_000 } });

  using connection = await RawConnection.open(here.port);
  await connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");

  assert.equal(answersIn(await connection.toEnd()).length, 1);
});

Deno.test("an answer may take its time, and a stream be silent, far beyond all limits", async () => {
  await using here = serveHere(async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    if (request.url.endsWith("/slow")) return say("slow");
    const body = async function* () {
      yield new Uint8Array([0x61]);
      await new Promise((resolve) => setTimeout(resolve, 700));
      yield new Uint8Array([0x62]);
    };
    return new Reply(200, [], ReadableStream.from(body()));
  }, { limits: { headMs: 100, idleMs: 200, lingerMs: 100 } });

  for (const [path, body] of [["/slow", "slow"], ["/stream", "ab"]]) {
    using connection = await RawConnection.open(here.port);
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    assert.deepEqual(answersIn(await connection.toEnd()).map((answer) => answer.body), [body]);
  }
});

Deno.test("a client that takes nothing of its answer is given up, one that takes a little now and then is not", async () => {
  const cancelled = Promise.withResolvers<string>();
  await using here = serveHere((request) => {
    const path = new URL(request.url).pathname;
    let left = 300;
    return Promise.resolve(
      new Reply(
        200,
        [],
        new ReadableStream({
          pull(controller) {
            if (left-- > 0) controller.enqueue(new Uint8Array(65_536));
            else controller.close();
          },
          cancel: () => cancelled.resolve(path),
        }),
      ),
    );
  }, { limits: { idleMs: 600 } });

  using slow = await RawConnection.open(here.port);
  await slow.send("GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  using never = await RawConnection.open(here.port);
  await never.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n");

  let size = 0;
  const buffer = new Uint8Array(400_000);
  for (let count: number | null = 0; count !== null; size += count) {
    if (size < 8_000_000) await new Promise((resolve) => setTimeout(resolve, 100));
    count = await slow.conn.read(buffer);
    if (count === null) break;
  }

  assert.equal(await cancelled.promise, "/never");
  assert.ok(size > 300 * 65_536);
});
