/**
 * The upstream of the http bench: `deno run -A upstream.ts PORT`. A POST is answered at once; one that names the tool
 * `stream` by as many events as fit; a GET is a stream that stays silent.
 */
const answer = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"hello"}]}}';
const json = { "content-type": "application/json" };
const events = { "content-type": "text/event-stream", "cache-control": "no-cache" };

/** `count` events as fast as they are taken. */
function burst(count: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      for (let at = 0; at < 20 && sent < count; at++) {
        controller.enqueue(
          encoder.encode(`data: {"jsonrpc":"2.0","method":"notifications/message","n":${++sent}}\n\n`),
        );
      }
      if (sent === count) controller.close();
    },
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} }, async (request) => {
  if (request.method === "GET") {
    const silent = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(": open\n\n")),
    });
    return new Response(silent, { headers: events });
  }
  const body = await request.text();
  const count = /"stream","count":(\d+)/.exec(body)?.[1];
  if (count !== undefined) return new Response(burst(Number(count)), { headers: events });
  return new Response(answer, { headers: json });
});
