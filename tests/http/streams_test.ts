import assert from "node:assert/strict";
import { createParser } from "eventsource-parser";
import { startBytes, startHandler } from "../fakes/raw_upstream.ts";
import { rawRequest } from "./raw_client.ts";
import { caller, NamedInbound, settings, startFront } from "./support.ts";

const bearer = { authorization: "Bearer alice" };
const call = '{"jsonrpc":"2.0","id":"seven","method":"tools/call","params":{"name":"slow"}}';

/** An event stream that a test writes to. */
function writable() {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const gone = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => gone.resolve(),
  });
  return {
    response: () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    close: () => controller.close(),
    gone: gone.promise,
  };
}

function timer(ms: number, ring: () => void): Disposable {
  const id = setTimeout(ring, ms);
  return { [Symbol.dispose]: () => clearTimeout(id) };
}

/** So that a failure leaves no stream open, for which everything would wait. */
function abortOnDispose() {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() };
}

function reader(response: Response) {
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(chunks !== undefined);
  return {
    next: async () => (await chunks.read()).value ?? "(end)",
    /** Everything up to the end; `cut` when there was none, `open` when there is none within ten seconds. */
    rest: async () => {
      let text = "";
      using _late = timer(10_000, () => {
        text += "(open)";
        chunks.cancel();
      });
      try {
        for (let piece = await chunks.read(); !piece.done; piece = await chunks.read()) text += piece.value;
        return text;
      } catch {
        return `${text}(cut)`;
      }
    },
    cancel: () => chunks.cancel(),
  };
}

const post = (url: string) => fetch(url, { method: "POST", headers: bearer, body: call });

Deno.test("events reach the client one by one, as they come and as they are", async () => {
  const stream = writable();
  await using front = await startFront({ upstream: stream.response });
  stream.write('id: 1\nevent: message\ndata: {"a":  1}\n\n');
  const response = await post(front.url);
  const events = reader(response);

  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  assert.equal(response.headers.get("cache-control"), "no-cache, no-transform");
  assert.equal(await events.next(), 'id: 1\nevent: message\ndata: {"a":  1}\n\n');
  stream.write(": mine\r\nretry: 5\r\n\r\n");
  assert.equal(await events.next(), ": mine\r\nretry: 5\r\n\r\n");
  stream.close();
  assert.equal(await events.rest(), "");
});

Deno.test("a client that leaves while events come ends the upstream's stream within a second", async () => {
  const stream = writable();
  await using front = await startFront({ upstream: stream.response });
  stream.write("data: 1\n\n");
  const events = reader(await fetch(front.url, { headers: bearer }));
  await events.next();

  const left = performance.now();
  await events.cancel();
  await stream.gone;

  assert.ok(performance.now() - left < 1_000);
});

Deno.test("a client that leaves before the answer begins aborts the upstream's request within a second", async () => {
  const arrived = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  await using behind = startHandler((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    arrived.resolve();
    return never.promise;
  });
  await using front = await startFront({ upstream: new URL(behind.url) });
  const leaving = new AbortController();
  const answer = fetch(front.url, { method: "POST", headers: bearer, body: call, signal: leaving.signal });
  await arrived.promise;

  const left = performance.now();
  leaving.abort();
  await assert.rejects(answer);
  await aborted.promise;

  assert.ok(performance.now() - left < 1_000);
  never.resolve(new Response(null));
});

Deno.test("a client that closes its side of the connection counts as one that left", async () => {
  const stream = writable();
  await using front = await startFront({ upstream: stream.response });
  stream.write("data: 1\n\n");
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
  const head = rawRequest("GET /mcp HTTP/1.1", ["Authorization: Bearer alice"]);
  await connection.write(new TextEncoder().encode(head));
  await connection.read(new Uint8Array(4_096));

  const left = performance.now();
  await connection.closeWrite();
  await stream.gone;

  assert.ok(performance.now() - left < 1_000);
  connection.close();
});

Deno.test("a client that leaves within its request or within a long answer ends the upstream's within a second", async () => {
  const arrived = Promise.withResolvers<void>();
  const gone = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  await using front = await startFront({
    upstream: async (request) => {
      if (request.method === "GET") {
        return new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
            cancel: () => gone[1].resolve(),
          }),
        );
      }
      const reader = request.body?.getReader();
      await reader?.read();
      arrived.resolve();
      for (let more = true; more;) {
        more = await reader?.read().then(({ done }) => !done, () => false) ?? false;
      }
      gone[0].resolve();
      return new Response();
    },
  });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
  const head = rawRequest("POST /mcp HTTP/1.1", ["Authorization: Bearer alice", "Content-Length: 5000000"]);
  await connection.write(new TextEncoder().encode(head + "x".repeat(100_000)));
  await arrived.promise;

  let left = performance.now();
  connection.close();
  await gone[0].promise;
  assert.ok(performance.now() - left < 1_000);

  const long = await fetch(front.url, { headers: bearer });
  const reading = long.body?.getReader();
  await reading?.read();
  left = performance.now();
  await reading?.cancel();
  await gone[1].promise;
  assert.ok(performance.now() - left < 1_000);
});

Deno.test("silence is broken by comments, only between events", async () => {
  const stream = writable();
  await using front = await startFront({
    upstream: stream.response,
    settings: { keepAliveCommentMs: 1_000 },
  });
  const events = reader(await fetch(front.url, { headers: bearer }));

  assert.equal(await events.next(), ": open\n\n");
  assert.equal(await events.next(), ": keep-alive\n\n");
  stream.write("data: half");
  assert.equal(await events.next(), "data: half");
  const later = events.next();
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  // A line has ended, its event has not: a comment with its blank line would send it off too early.
  stream.write(" an event");
  assert.equal(await later, " an event");
  stream.write("\r\n");
  assert.equal(await events.next(), "\r\n");
  const end = events.next();
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  stream.write("\r\n");
  assert.equal(await end, "\r\n");
  assert.equal(await events.next(), ": keep-alive\n\n");
  await events.cancel();
});

/** An upstream that begins a chunked event stream and then dies. */
function dying(events: string) {
  return startBytes(async (connection) => {
    await connection.read(new Uint8Array(65_536));
    const chunk = `${events.length.toString(16)}\r\n${events}\r\n`;
    const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    await connection.write(new TextEncoder().encode(head + (events === "" ? "" : chunk)));
  });
}

const broken = {
  jsonrpc: "2.0",
  id: "seven",
  error: { code: -31001, message: "The MCP server behind this address broke off or did not speak HTTP" },
};
const progress = 'data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n';
const answer = 'data: {"jsonrpc":"2.0","id":"seven","result":{"method":"any"}}\n\n';

/** What a client that reads the stream as HTML says makes of it: names and data of its events. */
function eventsIn(text: string): [string, string][] {
  const events: [string, string][] = [];
  const parser = createParser({ onEvent: ({ event, data }) => events.push([event ?? "message", data]) });
  parser.feed(text);
  return events;
}

Deno.test("an upstream that dies before the answer leaves an error with the request's id and a clean end", async () => {
  for (const before of ["", progress]) {
    await using behind = dying(before);
    await using front = await startFront({ upstream: new URL(behind.url) });

    const text = await reader(await post(front.url)).rest();

    assert.equal(text, `${before}event: message\ndata: ${JSON.stringify(broken)}\n\n`);
  }
});

Deno.test("so it does within an event, which is left to nobody", async () => {
  for (
    const half of ['data: {"half', 'data: {"jsonrpc":"2.0","id":"seven","result":{}}\n', "event: mess", ":"]
  ) {
    await using behind = dying(progress + half);
    await using front = await startFront({ upstream: new URL(behind.url) });

    const text = await reader(await post(front.url)).rest();

    assert.ok(text.startsWith(progress + half));
    const events = eventsIn(text).filter(([name]) => name === "message").map(([, data]) => JSON.parse(data));
    assert.deepEqual(events, [{ jsonrpc: "2.0", method: "notifications/progress" }, broken], half);
  }
});

Deno.test("the request's id is read from it even where the log looks at no bodies", async () => {
  await using behind = dying("");
  await using front = await startFront({
    upstream: new URL(behind.url),
    settings: { accessLog: { bodyMaxBytes: 0, hashSubjects: false } },
  });

  const text = await reader(await post(front.url)).rest();

  assert.equal(text, `event: message\ndata: ${JSON.stringify(broken)}\n\n`);
});

Deno.test("the request's id is read from one that is too large to be held, or has no length, wherever it stands", async () => {
  const text = "x".repeat(200_000);
  const last = `{"method":"tools/call","params":{"id":1,"text":"${text}"},"jsonrpc":"2.0","id":"seven"}`;
  const first = `{"jsonrpc":"2.0","id":"seven","method":"tools/call","params":{"id":1,"text":"${text}"}}`;
  for (const body of [last, first, new Blob([last]).stream(), new Blob([call]).stream()]) {
    await using behind = startBytes(async (connection) => {
      const chunk = new Uint8Array(65_536);
      let got = "";
      while (!/"(?:jsonrpc":"2.0","id":"seven"}|name":"slow"}}|text":"x+"}})/.test(got.slice(-250_000))) {
        const count = await connection.read(chunk);
        if (count === null) return;
        got += new TextDecoder("latin1").decode(chunk.subarray(0, count));
      }
      const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
      await connection.write(
        new TextEncoder().encode(`${head}${progress.length.toString(16)}\r\n${progress}\r\n`),
      );
    });
    await using front = await startFront({ upstream: new URL(behind.url) });

    const answer = await fetch(front.url, { method: "POST", headers: bearer, body });

    assert.equal(
      await reader(answer).rest(),
      `${progress}event: message\ndata: ${JSON.stringify(broken)}\n\n`,
    );
  }
});

Deno.test("an upstream that dies after events with ids is a cut, so that the client resumes", async () => {
  const quiet = progress.repeat(2_000);
  for (
    const before of [
      "id: 1\ndata: {}\n\n",
      "data: {}\n\nid: 2\ndata: {}\n\n",
      'id: 3\ndata: {"half',
      `${quiet}id: 4\ndata: {}\n\n`,
    ]
  ) {
    await using behind = dying(before);
    await using front = await startFront({ upstream: new URL(behind.url) });

    assert.equal(await reader(await post(front.url)).rest(), `${before}(cut)`);
  }
});

Deno.test("an upstream that dies after the answer adds nothing to it", async () => {
  const large = `data: {"jsonrpc":"2.0","id":"seven","result":{"text":"${"x".repeat(300_000)}"}}\n\n`;
  for (const last of [answer, progress + answer, large]) {
    await using behind = dying(last);
    await using front = await startFront({ upstream: new URL(behind.url) });

    assert.equal(await reader(await post(front.url)).rest(), `${last}(cut)`);
  }
});

Deno.test("a GET stream ends when its token does; the answer to a call goes on", async () => {
  const get = writable();
  const answer = writable();
  const inbound = new NamedInbound("alice");
  inbound.callers.set("brief", caller("brief", { expiresAtMs: Date.now() + 2_000 }));
  await using front = await startFront({
    inbound,
    upstream: (request) => request.method === "GET" ? get.response() : answer.response(),
  });
  const brief = { authorization: "Bearer brief" };
  get.write("data: 1\n\n");
  answer.write("data: 1\n\n");
  const standing = reader(await fetch(front.url, { headers: brief }));
  const calling = reader(await fetch(front.url, { method: "POST", headers: brief, body: call }));

  assert.equal(await standing.rest(), "data: 1\n\n");
  await get.gone;
  answer.write("data: 2\n\n");
  answer.close();
  assert.equal(await calling.rest(), "data: 1\n\ndata: 2\n\n");
});

Deno.test("a listen stream ends when its login is revoked, holds no place among calls, and however its request came", async () => {
  const gone: string[] = [];
  await using front = await startFront({
    settings: {
      limits: { ...settings.limits, perSubjectConcurrency: 1 },
      accessLog: { ...settings.accessLog, bodyMaxBytes: 100 },
    },
    upstream: async (request) => {
      const { id } = await request.json();
      const first = new TextEncoder().encode("data: 1\n\n");
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(first),
        cancel: () => void gone.push(id),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  });
  const listen = (id: string, padding = 0) =>
    JSON.stringify({
      jsonrpc: "2.0",
      id,
      method: "subscriptions/listen",
      params: { "x": "x".repeat(padding) },
    });
  const ways: Record<string, BodyInit> = {
    small: listen("small"),
    unread: listen("unread", 1_000),
    large: listen("large", 100_000),
    chunked: new Blob([listen("chunked")]).stream(),
  };
  const headers = { ...bearer, "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };

  const streams = [];
  using leave = abortOnDispose();
  for (const [way, body] of Object.entries(ways)) {
    const response = await fetch(front.url, { method: "POST", headers, body, signal: leave.signal });
    assert.equal(response.status, 200, way);
    const events = reader(response);
    assert.equal(await events.next(), "data: 1\n\n", way);
    streams.push(events);
  }
  front.inbound.revokedGrants.add("alice");

  for (const events of streams) assert.equal(await events.rest(), "");
  assert.deepEqual(gone.sort(), ["chunked", "large", "small", "unread"]);
});

Deno.test("where standing streams are refused, a GET for one is 405 once the token is known, and calls still stream", async () => {
  const methods: string[] = [];
  await using front = await startFront({
    settings: { standingStreams: false },
    upstream: ({ method }) => {
      methods.push(method);
      return new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } });
    },
  });
  const events = { accept: "application/json, text/event-stream" };
  const ask = async (method: string, headers: Record<string, string>) => {
    const response = await fetch(front.url, {
      method,
      headers,
      ...(method === "POST" ? { body: "{}" } : {}),
    });
    return [response.status, response.headers.get("allow"), await response.text()];
  };

  assert.equal((await ask("GET", events))[0], 401);
  assert.deepEqual(await ask("GET", { ...bearer, ...events }), [405, "POST, DELETE, HEAD, OPTIONS", ""]);
  assert.equal((await ask("GET", { ...bearer, accept: "text/plain" }))[0], 200);
  assert.deepEqual(await ask("POST", { ...bearer, ...events }), [200, null, "data: {}\n\n"]);
  assert.deepEqual(methods, ["GET", "POST"]);
});

Deno.test("a GET stream ends when its login is revoked", async () => {
  const stream = writable();
  await using front = await startFront({ upstream: stream.response });
  stream.write("data: 1\n\n");
  const events = reader(await fetch(front.url, { headers: bearer }));
  assert.equal(await events.next(), "data: 1\n\n");

  front.inbound.revokedGrants.add("alice");

  assert.equal(await events.rest(), "");
  await stream.gone;
});

Deno.test("a long answer and many events pass in whole", async () => {
  const events = 10_000;
  const upstream = (request: Request) => {
    if (request.method === "POST") return new Response(new Uint8Array(5_000_000).fill(120));
    let sent = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (sent++ === events) controller.close();
          else controller.enqueue(new TextEncoder().encode(`data: ${sent}\n\n`));
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  };
  await using front = await startFront({ upstream });

  const long = await post(front.url);
  assert.equal((await long.bytes()).length, 5_000_000);
  const text = await reader(await fetch(front.url, { headers: bearer })).rest();

  assert.equal(text, Array.from({ length: events }, (_, at) => `data: ${at + 1}\n\n`).join(""));
});

Deno.test("a client that does not read holds the upstream back instead of filling the memory", async () => {
  let sent = 0;
  const chunk = new Uint8Array(65_536).fill(46);
  const upstream = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent++;
          controller.enqueue(chunk);
        },
      }, { highWaterMark: 0 }),
      { headers: { "content-type": "text/event-stream" } },
    );
  await using front = await startFront({ upstream, settings: { ...settings, keepAliveCommentMs: 0 } });
  const response = await fetch(front.url, { headers: bearer });

  await new Promise((resolve) => setTimeout(resolve, 300));
  const early = sent;
  await new Promise((resolve) => setTimeout(resolve, 700));

  assert.equal(sent, early);
  assert.ok(sent * chunk.length < 32 * 1024 * 1024, `${sent} chunks`);
  await response.body?.cancel();
});
