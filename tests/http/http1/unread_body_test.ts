/** Bodies that nobody reads to their end: a short one is thrown away, a long one ends the connection after the answer. */
import assert from "node:assert/strict";
import type { Hono } from "hono";
import type { Incoming } from "../../../lib/http/incoming.ts";
import type { ServeHandler } from "../../../lib/http/listening.ts";
import { NamedInbound, settings, startFront } from "../support.ts";
import { answersIn, ask, RawConnection, say, serveHere } from "./raw_connection.ts";

const end = "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

function post(body: string, length = body.length): string {
  return `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const paths = (handler: ServeHandler) => {
  const seen: string[] = [];
  const here = serveHere((request, peer) => {
    seen.push(new URL(request.url).pathname);
    return handler(request, peer);
  });
  return { ...here, seen };
};

const unread: ServeHandler = () => Promise.resolve(say("answer"));

/** Looks like the next request to who forgets that there is a body. */
const trap = "GET /trap HTTP/1.1\r\nHost: h\r\n\r\n";

Deno.test("a short body that nobody read is no request, and the next one is answered", async () => {
  await using here = paths(unread);
  using connection = await RawConnection.open(here.port);

  await connection.send(post(trap.slice(0, 20), trap.length));
  await connection.until(/answer$/);
  await connection.send(trap.slice(20) + end);
  const answers = answersIn(await connection.toEnd());

  assert.deepEqual(answers.map(({ body }) => body), ["answer", "answer"]);
  assert.doesNotMatch(answers[0]?.head ?? "", /connection: close/);
  assert.deepEqual(here.seen, ["/", "/end"]);
});

const partly: [name: string, handler: ServeHandler][] = [
  ["read for a while", async (request) => {
    const reader = request.body?.getReader();
    await reader?.read();
    return say("answer");
  }],
  ["cancelled after a while", async (request) => {
    const reader = request.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    return say("answer");
  }],
  ["cancelled at once", async (request) => {
    await request.body?.cancel();
    return say("answer");
  }],
  ["still being read", (request) => {
    request.bytes().catch(() => {});
    return Promise.resolve(say("answer"));
  }],
  ["still being read as a stream", (request) => {
    const reader = request.body?.getReader();
    const more = (): Promise<void> | undefined =>
      reader?.read().then(({ done }) => done ? undefined : more());
    more()?.catch(() => {});
    return Promise.resolve(say("answer"));
  }],
];

for (const [name, handler] of partly) {
  Deno.test(`a body that was ${name} ends the connection, and the client that goes on sending reads the answer`, async () => {
    await using here = paths(handler);
    using connection = await RawConnection.open(here.port);

    await connection.send(post("1234567890", 60_000));
    await connection.until(/answer$/);
    // The rest, and what would be the next request for who has lost count.
    await connection.send("x".repeat(59_990) + trap);
    const answers = answersIn(await connection.toEnd());

    assert.equal(answers.length, 1);
    assert.match(answers[0]?.head ?? "", /\r\nconnection: close\r\n/);
    assert.deepEqual(here.seen, ["/"]);
  });
}

for (
  const [name, head] of [
    ["long", "Content-Length: 100000000"],
    ["of unknown length", "Transfer-Encoding: chunked"],
  ]
) {
  Deno.test(`a body ${name} that nobody reads ends the connection, and the answer is there to be read`, async () => {
    await using here = serveHere(unread, { limits: { lingerMs: 30_000 } });
    using connection = await RawConnection.open(here.port);

    await connection.send(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n`);
    await connection.until(/answer/);
    // More than fits between the two, so that a close without reading would be a reset.
    for (let at = 0; at < 200; at++) await connection.send(new Uint8Array(100_000));
    await connection.conn.closeWrite();
    const answers = answersIn(await connection.toEnd());

    assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, "answer"]]);
    assert.match(answers[0]?.head ?? "", /\r\nconnection: close\r\n/);
  });
}

Deno.test("who asks for a body once the answer is out gets nothing of the next request", async () => {
  const old: Incoming[] = [];
  const late: unknown[] = [];
  await using here = serveHere(async (request) => {
    for (const { body } of old) late.push(await body?.getReader().read().catch(String));
    for (const before of old) {
      late.push(before.atHand?.(), await before.bytes().catch(String));
    }
    old.push(request);
    return say(`<${new TextDecoder().decode(request.atHand?.())}>`);
  });
  const chunked = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
  using connection = await RawConnection.open(here.port);
  await connection.send(`${chunked}on`);
  await connection.until(/<>/);
  await connection.send(`ce${post("next").replace("Host", "Connection: close\r\nHost")}`);

  const answers = answersIn(await connection.toEnd());
  assert.deepEqual(answers.map(({ body }) => body), ["<>", "<next>"]);
  assert.deepEqual(late.map(String), [
    "[object Object]",
    "undefined",
    "TypeError: the body is read, or the request over",
  ]);
});

Deno.test("what follows the last answer is thrown away, for a while", async () => {
  await using here = serveHere(unread, { limits: { lingerMs: 300 } });
  using connection = await RawConnection.open(here.port);

  await connection.send(`${end}${trap.repeat(100)}`);
  await connection.until(/answer$/);
  const startedMs = performance.now();
  const sending = (async () => {
    for (;;) {
      await connection.send("x".repeat(1_000));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })().catch(() => {});
  assert.equal(answersIn(await connection.toEnd().catch(() => connection.got)).length, 1);
  await sending;

  assert.ok(performance.now() - startedMs < 3_000);
});

Deno.test("an endpoint's body beyond its limit is 413 that can be read, whatever the client still sends", async () => {
  await using front = await startFront({
    upstream: () => new Response(),
    settings: { limits: { ...settings.limits, maxBodyBytes: 100_000 } },
  });
  const head = "POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n";

  const got = await ask(front.port, `${head}Content-Length: 200000\r\n\r\n${"x".repeat(200_000)}`);

  assert.deepEqual(answersIn(got).map(({ status }) => status), [413]);
  assert.match(got, /\{"error":"invalid_request"/);
});

class ReadingInbound extends NamedInbound {
  override mount(app: Hono): void {
    app.post("/token", async (context) => context.text(await context.req.text()));
  }
}

Deno.test("a body that does not come at an endpoint is given up after the limit", async () => {
  await using front = await startFront({
    upstream: () => new Response(),
    inbound: new ReadingInbound(),
    settings: { limits: { ...settings.limits, bodyReadTimeoutMs: 1_000 } },
  });

  for (const framing of ["Content-Length: 50", "Content-Length: 100000", "Transfer-Encoding: chunked"]) {
    const got = await ask(front.port, `POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n${framing}\r\n\r\n`);
    assert.deepEqual(answersIn(got).map(({ status }) => status), [408], framing);
  }
});
