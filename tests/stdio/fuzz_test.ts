/** Both sides say anything, for a while: `FUZZ_MS` says how long, `FUZZ_SEED` what; a failure names its seed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { shakeHands, startPump } from "../support/pump.ts";
import { plainInitialize, rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const forMs = Number(Deno.env.get("FUZZ_MS") ?? 2_500);
const firstSeed = Number(Deno.env.get("FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 31));
const encoder = new TextEncoder();
const noLineFeed = (bytes: Uint8Array) => bytes.filter((byte) => byte !== 10);

const broken = fc.oneof(
  fc.json(),
  fc.json().chain((text) => fc.nat(text.length).map((at) => text.slice(0, at))),
  fc.record({ jsonrpc: fc.constant("2.0"), method: fc.string(), params: fc.jsonValue() }).map((it) =>
    JSON.stringify(it)
  ),
  fc.record({ jsonrpc: fc.constant("2.0"), id: fc.jsonValue(), result: fc.jsonValue() }).map((it) =>
    JSON.stringify(it)
  ),
  fc.array(fc.record({ jsonrpc: fc.constant("2.0"), method: fc.string() })).map((it) => JSON.stringify(it)),
);
const line = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map(noLineFeed),
  broken.map((text) => noLineFeed(encoder.encode(text))),
);

/** What an upstream answers with; `undefined`: what was asked for. */
const answer = fc.option(
  fc.record({
    status: fc.constantFrom(200, 200, 200, 202, 204, 302, 307, 400, 403, 404, 409, 429, 500, 503),
    type: fc.constantFrom(
      "application/json",
      "text/event-stream",
      "text/html",
      "",
      "application/json; charset=x",
    ),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      broken.map((text) => encoder.encode(text)),
      broken.map((text) => encoder.encode(`id: 1\nretry: 1\ndata: ${text}\n\n`)),
    ),
  }),
  { nil: undefined, freq: 2 },
);

const responseOf = ({ status, type, bytes }: { status: number; type: string; bytes: Uint8Array }) =>
  new Response(status === 204 ? null : new Uint8Array(bytes), {
    status,
    headers: { ...(type === "" ? {} : { "content-type": type }), location: "/mcp" },
  });

Deno.test("random and broken lines and answers: no crash, and every request is answered once", async () => {
  const deadlineMs = performance.now() + forMs;
  for (let seed = firstSeed; seed === firstSeed || performance.now() < deadlineMs; seed++) {
    await round(seed).catch((error) => {
      throw new Error(`FUZZ_SEED=${seed}: ${error.message}`, { cause: error });
    });
  }
});

async function round(seed: number): Promise<void> {
  const answers = fc.sample(answer, { seed, numRuns: 100 });
  let turn = 0;
  await using upstream = rawUpstream((request) => {
    if (request.method === "GET") {
      const made = answers[turn++ % answers.length];
      return made === undefined ? new Response(null, { status: 405 }) : responseOf(made);
    }
    if (request.rpc?.method === "initialize") return rpcResult(request, plainInitialize);
    const made = answers[turn++ % answers.length];
    if (made !== undefined) return responseOf(made);
    try {
      return rpcResult(request, {});
    } catch {
      return new Response(null, { status: 202 });
    }
  });
  await using pump = startPump(upstream.url);
  await shakeHands(pump);
  const ids = new Set<string>();
  for (const [at, bytes] of fc.sample(line, { seed, numRuns: 60 }).entries()) {
    pump.sendBytes(new Uint8Array([...bytes, 10]));
    // Ids that nothing random has.
    const id = `request ${seed} ${at}`;
    if (at % 3 === 0) {
      pump.send({ jsonrpc: "2.0", id, method: at % 2 ? "tools/call" : "ping", params: { name: "n" } });
    }
    if (at % 3 === 0) ids.add(id);
  }
  for (const id of ids) await pump.answer(id, 35_000);

  const answered = pump.lines.flatMap((text) => JSON.parse(text)).filter((message) =>
    ids.has(message?.id) && message.method === undefined
  );
  assert.equal(answered.length, ids.size);
  for (const text of pump.lines) assert.ok(!/[\r\n]/.test(text));
}
