/** Streams on which nothing comes. */
import assert from "node:assert/strict";
import { type FakeClock, fakeClock, pass, passUntil } from "../fakes/clock.ts";
import { answering } from "../../lib/stdio/renewed_stream.ts";
import { watched } from "../../lib/stdio/silence.ts";
import { shakeHands, startPump, type TestPump } from "../support/pump.ts";
import {
  eventStream,
  plainInitialize,
  type RawRequest,
  rawUpstream,
  rpcResult,
} from "../support/raw_upstream.ts";

const isCall = ({ rpc }: RawRequest) => rpc?.method === "tools/call";
const isGet = ({ method }: RawRequest) => method === "GET";
const call = { jsonrpc: "2.0", id: "c", method: "tools/call", params: { name: "long" } };
const answer = { jsonrpc: "2.0", id: "c", result: { done: true } };
const changed = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };

/** An upstream whose streams a test writes: those of GETs, and those of calls. */
function silentUpstream(refuse: (request: RawRequest) => Response | undefined = () => undefined) {
  const gets: ReturnType<typeof eventStream>[] = [];
  const calls: ReturnType<typeof eventStream>[] = [];
  const upstream = rawUpstream((request) => {
    if (!isGet(request) && !isCall(request)) return rpcResult(request, plainInitialize);
    const refusal = refuse(request);
    if (refusal !== undefined) return refusal;
    const stream = eventStream();
    (isGet(request) ? gets : calls).push(stream);
    return stream.response;
  });
  return { upstream, gets, calls };
}

async function connected(url: string): Promise<TestPump & { clock: FakeClock }> {
  const clock = fakeClock();
  const pump = startPump(url, { clock });
  await shakeHands(pump);
  return Object.assign(pump, { clock });
}

Deno.test("the upstream's own stream is renewed after 45 s without a byte, the new one opened beside the old", async () => {
  const aloneAt: boolean[] = [];
  const others = (own: RawRequest) => upstream.requests.filter((other) => isGet(other) && other !== own);
  const { upstream: server, gets } = silentUpstream((request) => {
    if (isGet(request)) aloneAt.push(others(request).every(({ signal }) => signal.aborted));
    return undefined;
  });
  await using upstream = server;
  await using pump = await connected(upstream.url);
  const first = await upstream.request(isGet);
  gets[0]?.event(changed, "e7");
  await pump.find(({ method }) => method === changed.method);
  await pass(pump.clock, 40);
  assert.equal(upstream.requests.filter(isGet).length, 1);

  const second = await passUntil(
    pump.clock,
    upstream.request((request) => isGet(request) && request !== first),
  );
  gets[1]?.event({ ...changed, method: "notifications/prompts/list_changed" });

  assert.equal(second.headers.get("last-event-id"), "e7");
  await pump.find(({ method }) => method === "notifications/prompts/list_changed");
  await aborted(first);
  assert.deepEqual(aloneAt.slice(0, 2), [true, false]);
});

Deno.test("a server that knows one stream at a time is let go of the old one first", async () => {
  let open = 0;
  const { upstream: server, gets } = silentUpstream((request) => {
    if (open > 0) return new Response(null, { status: 409 });
    open++;
    request.signal.addEventListener("abort", () => open--);
  });
  await using upstream = server;
  await using pump = await connected(upstream.url);
  const first = await upstream.request(isGet);

  await passUntil(pump.clock, aborted(first));
  while (gets.length < 2) await pass(pump.clock, 5);
  gets[1]?.event(changed);

  await pump.find(({ method }) => method === changed.method);
});

Deno.test("a stream that is kept alive is left alone, and one that stays silent is renewed less and less often", async () => {
  const { upstream: server, gets } = silentUpstream();
  await using upstream = server;
  await using pump = await connected(upstream.url);
  await upstream.request(isGet);
  for (let beat = 0; beat < 8; beat++) {
    gets[0]?.write(": still here\n\n");
    await pass(pump.clock, 15);
  }
  assert.equal(upstream.requests.filter(isGet).length, 1);

  // At 45 s, 45 + 90 and 45 + 90 + 180; each up to 5 s later.
  await pass(pump.clock, 340);
  const count = upstream.requests.filter(isGet).length;
  assert.ok(count >= 3 && count <= 4, `${count}`);
});

Deno.test("what the reader takes his time for is no silence", async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const byte of [1, 2]) controller.enqueue(new Uint8Array([byte]));
    },
    pull: (controller) => controller.close(),
  }, { highWaterMark: 2 });
  const clock = fakeClock();
  const quiet: number[] = [];
  const onSilence = (quietMs: number) => Promise.resolve(void quiet.push(quietMs));
  let pieces = 0;

  for await (const _ of watched(body, { clock, onSilence })) {
    pieces++;
    await pass(clock, 60);
  }

  assert.equal(pieces, 2);
  assert.deepEqual(quiet, []);
});

Deno.test("after the machine slept a silent stream is renewed at once, though none of our waits went by", async () => {
  const { upstream: server, gets } = silentUpstream();
  await using upstream = server;
  const clock = fakeClock();
  let sleptMs = 0;
  await using pump = startPump(upstream.url, { clock: { ...clock, now: () => clock.now() + sleptMs } });
  await shakeHands(pump);
  const first = await upstream.request(isGet);
  await pass(clock, 20);
  assert.equal(upstream.requests.filter(isGet).length, 1);

  sleptMs = 3_600_000;
  await pass(clock, 10);

  await upstream.request((request) => isGet(request) && request !== first);
  gets[1]?.event(changed);
  await pump.find(({ method }) => method === changed.method);
});

Deno.test("a call whose stream is silent is asked for beside it where the upstream has given event ids", async () => {
  const { upstream: server, gets, calls } = silentUpstream();
  await using upstream = server;
  await using pump = await connected(upstream.url);
  pump.send(call);
  const first = await upstream.request(isCall);
  calls[0]?.write("id: c1\ndata:\n\n");

  const resumed = await passUntil(
    pump.clock,
    upstream.request(({ headers }) => headers.get("last-event-id") === "c1"),
  );
  await aborted(first);
  gets.at(-1)?.event(answer, "c2");

  assert.deepEqual((await pump.answer("c")).result, { done: true });
  assert.equal(resumed.method, "GET");
  assert.equal(upstream.requests.filter(isCall).length, 1);
});

for (const status of [405, 409, 500]) {
  Deno.test(`a call whose stream may not be resumed (${status}) is waited for on the old one`, async () => {
    const { upstream: server, calls } = silentUpstream((request) =>
      isGet(request) ? new Response(null, { status }) : undefined
    );
    await using upstream = server;
    await using pump = await connected(upstream.url);
    pump.send(call);
    const first = await upstream.request(isCall);
    calls[0]?.write("id: c1\ndata:\n\n");
    await passUntil(pump.clock, upstream.request(({ headers }) => headers.get("last-event-id") === "c1"));
    await pass(pump.clock, 100);
    assert.equal(first.signal.aborted, false);

    calls[0]?.event(answer, "c2");

    assert.deepEqual((await pump.answer("c")).result, { done: true });
  });
}

Deno.test("a silent call is waited for as long as the upstream is there, and gets an error when it is gone", async () => {
  const { upstream: server, calls } = silentUpstream();
  await using upstream = server;
  await using pump = await connected(upstream.url);
  pump.send(call);
  const first = await upstream.request(isCall);
  calls[0]?.event({ jsonrpc: "2.0", method: "notifications/progress", params: {} });
  await pass(pump.clock, 300);
  assert.equal(first.signal.aborted, false);
  assert.equal(pump.lines.length, 2);

  upstream.stopListening();
  const { error } = await passUntil(pump.clock, pump.answer("c"));

  assert.equal(error.code, -31001);
  assert.match(error.message, /any more.*may have been carried out/);
});

Deno.test("a JSON answer that stops half-way is waited for as long as the upstream is there, and no longer", async () => {
  const halves = JSON.stringify(answer).match(/.{1,30}/g) ?? [];
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = [];
  const say = (at: number, text = "") => bodies[at]?.enqueue(new TextEncoder().encode(text));
  await using upstream = rawUpstream((request) => {
    if (isGet(request)) return new Response(null, { status: 405 });
    if (!isCall(request)) return rpcResult(request, plainInitialize);
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void bodies.push(controller) });
    say(bodies.length - 1, halves[0]);
    return new Response(body, { headers: { "content-type": "application/json" } });
  });
  await using pump = await connected(upstream.url);
  pump.send(call);
  const first = await upstream.request(isCall);
  await pass(pump.clock, 300);
  assert.equal(first.signal.aborted, false);
  say(0, halves.slice(1).join(""));
  bodies[0]?.close();
  assert.deepEqual((await pump.answer("c")).result, { done: true });

  pump.send({ ...call, id: "d" });
  const second = await upstream.request(({ rpc }) => rpc?.id === "d");
  await pass(pump.clock, 20);
  upstream.stopListening();
  const { error } = await passUntil(pump.clock, pump.answer("d"));

  assert.equal(error.code, -31001);
  assert.match(error.message, /any more.*may have been carried out/);
  await aborted(second);
});

Deno.test("an upstream that is gone for good is noticed in 20 s, one that is just replaced is waited for", async () => {
  for (let goneAtMs = 5_000; goneAtMs < 60_000; goneAtMs += 5_000) {
    let looks = 0;
    const isReachable = () => Promise.resolve((looks++, quietMs <= goneAtMs));
    const { onSilence } = answering({ clock: fakeClock(), isReachable }, () => undefined);
    let quietMs = 0;
    const until = async (endMs: number) => {
      for (quietMs = 5_000; quietMs <= endMs; quietMs += 5_000) await onSilence(quietMs);
    };

    await assert.rejects(() => until(200_000), /any more/);
    assert.ok(quietMs - goneAtMs <= 20_000, `${goneAtMs}: ${quietMs}`);
    assert.ok(looks < 10);
  }
  let down = true;
  const { onSilence } = answering({
    clock: fakeClock(),
    isReachable: () => Promise.resolve(!(down && (down = false, true))),
  }, () => undefined);
  for (let quietMs = 5_000; quietMs < 200_000; quietMs += 5_000) await onSilence(quietMs);
});

Deno.test("a silent subscription of revision 2026-07-28 is asked for again, and confirmed once", async () => {
  const acknowledged = { jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params: {} };
  const streams: ReturnType<typeof eventStream>[] = [];
  await using upstream = rawUpstream(() => {
    const stream = eventStream();
    streams.push(stream);
    stream.event(acknowledged);
    return stream.response;
  });
  const clock = fakeClock();
  await using pump = startPump(upstream.url, { clock });
  const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
  pump.send({ jsonrpc: "2.0", id: "s", method: "subscriptions/listen", params: { _meta } });
  const first = await upstream.request(({ rpc }) => rpc.id === "s");

  const second = await passUntil(
    clock,
    upstream.request((request) => request.rpc.id === "s" && request !== first),
  );
  streams[1]?.event(changed);

  await pump.find(({ method }) => method === changed.method);
  assert.equal(second.text, first.text);
  await aborted(first);
  assert.equal(pump.lines.length, 2);
});

async function aborted({ signal }: RawRequest): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
