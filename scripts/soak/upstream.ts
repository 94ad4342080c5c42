/**
 * The upstream of the soak: `deno run -A upstream.ts PORT`. A call is answered with what it asked for, some as JSON
 * and some as paced events; a GET is a stream that stays open.
 */
const events = { "content-type": "text/event-stream", "cache-control": "no-cache" };
const encoder = new TextEncoder();

/** `count` events 10 ms apart, then the answer. */
function paced(count: number, answer: string): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  let sent = 0;
  return new ReadableStream({
    start(controller) {
      timer = setInterval(() => {
        try {
          if (sent < count) controller.enqueue(encoder.encode(`data: {"n":${++sent}}\n\n`));
          else {
            clearInterval(timer);
            controller.enqueue(encoder.encode(`data: ${answer}\n\n`));
            controller.close();
          }
        } catch {
          // The caller left a moment ago, and the runtime has not said so yet.
          clearInterval(timer);
        }
      }, 10);
    },
    cancel: () => clearInterval(timer),
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} }, async (request) => {
  if (request.method === "GET") {
    return new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(encoder.encode(": open\n\n")) }),
      { headers: events },
    );
  }
  const { id, params } = await request.json();
  const answer = JSON.stringify({ jsonrpc: "2.0", id, result: { text: params.text } });
  if (params.events > 0) return new Response(paced(params.events, answer), { headers: events });
  return new Response(answer, { headers: { "content-type": "application/json" } });
});
