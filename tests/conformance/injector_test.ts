import assert from "node:assert/strict";
import { startInjector } from "./injector.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Remembers what one connection brought, and answers each request head with `ok`. */
function recorder() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let seen = "";
  const done = (async () => {
    using conn = await listener.accept();
    const buffer = new Uint8Array(4096);
    for (let count; (count = await conn.read(buffer)) !== null;) {
      seen += decoder.decode(buffer.subarray(0, count));
      await conn.write(encoder.encode("ok"));
    }
    listener.close();
    return seen;
  })();
  return { port: listener.addr.port, done };
}

async function send(pieces: string[], token: string | undefined): Promise<string> {
  const server = recorder();
  using injector = startInjector(server.port);
  injector.token = token;
  {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: injector.port });
    for (const piece of pieces) await conn.write(encoder.encode(piece));
    await conn.closeWrite();
    const buffer = new Uint8Array(16);
    while (await conn.read(buffer) !== null);
  }
  return await server.done;
}

const post = "POST /mcp HTTP/1.1\r\nhost: Evil.example.com\r\nContent-Length: 8\r\n\r\nGET /\r\n\r";
const get = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin:  http://a\r\n\r\n";

Deno.test("the injector adds one line to each request of a connection and changes nothing else", async () => {
  const line = "Authorization: Bearer abc\r\n";
  const seen = await send([post.slice(0, 30), post.slice(30) + get.slice(0, 5), get.slice(5)], "abc");
  assert.equal(
    seen,
    (post + get).replaceAll(/(POST|GET) \/mcp HTTP\/1\.1\r\n/g, (request) => request + line),
  );
});

Deno.test("the injector leaves a request alone that has a token of its own", async () => {
  const own = get.replace("Origin", "authorization");
  assert.equal(await send([own], "abc"), own);
});

Deno.test("the injector adds nothing before there is a token", async () => {
  assert.equal(await send([get], undefined), get);
});
