/**
 * The upstream of the http bench: `deno run -A upstream.ts PORT`. A POST is answered at once; one that names the tool
 * `stream` by that many events, as fast as they are taken or one each 10 ms with the time at which it was sent; a GET is
 * a stream that stays silent.
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

/** `count` events, 10 ms apart, each with when it was sent in milliseconds since 1970. */
function paced(count: number): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start(controller) {
      let sent = 0;
      timer = setInterval(() => {
        const at = performance.timeOrigin + performance.now();
        controller.enqueue(
          new TextEncoder().encode(`data: {"jsonrpc":"2.0","method":"notifications/message","at":${at}}\n\n`),
        );
        if (++sent < count) return;
        clearInterval(timer);
        controller.close();
      }, 10);
    },
    cancel: () => clearInterval(timer),
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
  const stream = /"(stream|paced)","count":(\d+)/.exec(body);
  if (stream !== null) {
    const count = Number(stream[2]);
    return new Response(stream[1] === "paced" ? paced(count) : burst(count), { headers: events });
  }
  return new Response(answer, { headers: json });
});
