import assert from "node:assert/strict";
import { Reply } from "../../../lib/http/reply.ts";
import { answersIn, RawConnection, say, serveHere } from "./raw_connection.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const late = { deadlineMs: 20_000 };

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("at a drain, connections that wait for nothing end at once, without a word", async () => {
  await using here = serveHere(() => Promise.resolve(say("x")), { limits: { lingerMs: 50 } });
  using silent = await RawConnection.open(here.port);
  using half = await RawConnection.open(here.port);
  await half.send("GET / HTTP/1.1\r\nHo");
  using idle = await RawConnection.open(here.port);
  await idle.send(get("/"));
  await idle.until(/x$/);
  await pause(200);

  assert.equal(await here.server.drain(late), false);

  for (const connection of [silent, half, idle]) await connection.toEnd().catch(() => {});
  assert.equal(half.got, "");
});

Deno.test("an answer that is owed at a drain is given, says that it is the last, and takes nothing more", async () => {
  const answer = Promise.withResolvers<Reply>();
  const arrived = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using here = serveHere((request) => {
    seen.push(new URL(request.url).pathname);
    arrived.resolve();
    return answer.promise;
  });
  using connection = await RawConnection.open(here.port);
  await connection.send(get("/first"));
  await arrived.promise;

  const drained = here.server.drain(late);
  await connection.send(get("/second"));
  await pause(50);
  answer.resolve(say("x"));
  const [only, ...more] = answersIn(await connection.toEnd());
  connection.close();

  assert.deepEqual([only?.body, more.length], ["x", 0]);
  assert.match(only?.head ?? "", /\r\nconnection: close\r\n/);
  assert.equal(await drained, false);
  assert.deepEqual(seen, ["/first"]);
});

Deno.test("who was told to go on just before a drain gets the next answer too", async () => {
  await using here = serveHere((request) => Promise.resolve(say(`<${new URL(request.url).pathname}>`)));
  using connection = await RawConnection.open(here.port);
  await connection.send(get("/first"));
  await connection.until(/<\/first>/);

  const drained = here.server.drain(late);
  await connection.send(get("/second"));
  const answers = answersIn(await connection.toEnd());
  connection.close();

  assert.deepEqual(answers.map(({ body }) => body), ["</first>", "</second>"]);
  assert.doesNotMatch(answers[0]?.head ?? "", /connection: close/);
  assert.match(answers[1]?.head ?? "", /connection: close/);
  assert.equal(await drained, false);
});

Deno.test("a stream that runs at a drain goes on to its end", async () => {
  let end = () => {};
  await using here = serveHere((request) =>
    Promise.resolve(
      request.url.endsWith("/ahead") ? say("ahead") : new Reply(
        200,
        [],
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("one"));
            end = () => {
              controller.enqueue(new TextEncoder().encode("two"));
              controller.close();
            };
          },
        }),
      ),
    )
  );
  using connection = await RawConnection.open(here.port);
  await connection.send(get("/"));
  await connection.until(/one\r\n/);

  const drained = here.server.drain(late);
  await connection.send(get("/ahead"));
  await pause(50);
  end();

  assert.deepEqual(answersIn(await connection.toEnd()).map(({ body }) => body), ["onetwo", "ahead"]);
  connection.close();
  assert.equal(await drained, false);
});

Deno.test("a drain while the rest of a body comes ends when it is there, with all answers given", async () => {
  await using here = serveHere(() => Promise.resolve(say("<x>")));
  using connection = await RawConnection.open(here.port);
  await connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  await connection.until(/<x>/);

  const drained = here.server.drain(late);
  await connection.send(`67890${get("/next")}`);
  const answers = answersIn(await connection.toEnd());
  connection.close();

  assert.ok(answers.length === 2 && /connection: close/.test(answers[1]?.head ?? ""));
  assert.equal(await drained, false);
});

Deno.test("a drain does not wait for who keeps the rest of a body to itself", async () => {
  await using here = serveHere(() => Promise.resolve(say("<x>")));
  using connection = await RawConnection.open(here.port);
  await connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  await connection.until(/<x>/);

  assert.equal(await here.server.drain(late), false);
});

Deno.test("a client that reads its last answer late still finds it", async () => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Reply>();
  await using here = serveHere(() => (arrived.resolve(), answer.promise));
  using connection = await RawConnection.open(here.port);
  await connection.send(get("/"));
  await arrived.promise;
  const drained = here.server.drain(late);
  answer.resolve(say("x".repeat(50_000)));
  // What it still sends may not take the answer away.
  await connection.send(get("/more"));
  await pause(300);
  await connection.send(get("/more"));
  await pause(300);

  assert.equal(answersIn(await connection.toEnd())[0]?.body.length, 50_000);
  connection.close();
  await drained;
});
