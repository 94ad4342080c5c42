import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { residentMiB, watchMemory } from "../support/proc.ts";
import { logIn } from "../support/oauth_client.ts";

const hundredMb = 100_000_000;
const linux = Deno.build.os === "linux";

/** What may come on top while it passes through for the second time: buffers and garbage, not the body. */
const allowedMiB = 80;

Deno.test({ name: "a response of 100 MB passes with flat memory", ignore: !linux }, async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(() =>
    new Response(pieces(hundredMb), { headers: { "content-type": "application/json" } })
  );
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const { tokens } = await logIn(http.mcpUrl);
  await count((await post(http.mcpUrl, tokens.access_token, "{}")).body);
  const before = await residentMiB(http.process.pid);
  await using memory = watchMemory(http.process.pid);

  const response = await post(http.mcpUrl, tokens.access_token, "{}");
  const got = await count(response.body);

  assert.equal(got, hundredMb);
  assert.ok(memory.peakMiB - before < allowedMiB, `${before} MiB before, ${memory.peakMiB} MiB at most`);
});

Deno.test(
  { name: "a request of 100 MB passes with flat memory where the limit allows it", ignore: !linux },
  async () => {
    await using idp = await startIdp();
    await using upstream = startHandler(async (request) => Response.json({ got: await count(request.body) }));
    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      env: { MAX_BODY_BYTES: String(hundredMb) },
    });
    const { tokens } = await logIn(http.mcpUrl);
    const body = new Uint8Array(hundredMb).fill(32);
    await count((await post(http.mcpUrl, tokens.access_token, body)).body);
    const before = await residentMiB(http.process.pid);
    await using memory = watchMemory(http.process.pid);

    const response = await post(http.mcpUrl, tokens.access_token, body);

    assert.deepEqual(await response.json(), { got: hundredMb });
    assert.ok(memory.peakMiB - before < allowedMiB, `${before} MiB before, ${memory.peakMiB} MiB at most`);
  },
);

Deno.test(
  { name: "a stream of 10,000 events passes in order with flat memory", ignore: !linux },
  async () => {
    await using idp = await startIdp();
    await using upstream = startHandler(() =>
      new Response(events(10_000), { headers: { "content-type": "text/event-stream" } })
    );
    await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
    const { tokens } = await logIn(http.mcpUrl);
    const message = `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`;
    await count((await post(http.mcpUrl, tokens.access_token, message)).body);
    const before = await residentMiB(http.process.pid);
    await using memory = watchMemory(http.process.pid);

    const response = await post(http.mcpUrl, tokens.access_token, message);
    const text = await response.text();

    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    assert.deepEqual(ids, Array.from({ length: 10_000 }, (_, n) => n));
    assert.ok(memory.peakMiB - before < allowedMiB, `${before} MiB before, ${memory.peakMiB} MiB at most`);
  },
);

Deno.test("a request of 100 MB without a declared length arrives whole", async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(async (request) => Response.json({ got: await count(request.body) }));
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    env: { MAX_BODY_BYTES: String(hundredMb) },
  });
  const { tokens } = await logIn(http.mcpUrl);

  const response = await post(http.mcpUrl, tokens.access_token, pieces(hundredMb));

  assert.deepEqual(await response.json(), { got: hundredMb });
});

function post(mcpUrl: string, token: string, body: BodyInit): Promise<Response> {
  return fetch(mcpUrl, {
    method: "POST",
    headers: {
      "authorization": `Bearer ${token}`,
      "content-type": "application/json",
      "accept": "application/json, text/event-stream",
    },
    body,
  });
}

function pieces(bytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(100_000).fill(32);
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(left, piece.length);
      if (size === 0) return controller.close();
      left -= size;
      controller.enqueue(piece.slice(0, size));
    },
  });
}

function events(total: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let n = 0;
  return new ReadableStream({
    pull(controller) {
      if (n === total) return controller.close();
      controller.enqueue(
        encoder.encode(`id: ${n}\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n`),
      );
      n++;
    },
  });
}

async function count(body: ReadableStream<Uint8Array> | null): Promise<number> {
  let bytes = 0;
  for await (const chunk of body ?? []) bytes += chunk.length;
  return bytes;
}
