/** What the edge snippets bound, more tightly than the door itself: on real edges, with times that a test can wait for. */
import assert from "node:assert/strict";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { type EdgeProgram, startRealEdge } from "../support/real_edge.ts";
import { testWithService } from "../support/services.ts";
import { tlsFiles } from "../support/tls.ts";

const caCerts = [Deno.readTextFileSync(tlsFiles.ca)];

/** The edge with its limits cut down, in front of http mode, in front of streams that stay open. */
async function site(program: EdgeProgram, path: string) {
  await using made = new AsyncDisposableStack();
  const upstream = made.use(startHandler(() => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }));
  const inner = unusedPort();
  const edge = made.use(
    await startRealEdge(program, path, {
      inner,
      edit: (config) =>
        config.replace("read_header 10s", "read_header 1s").replace(
          "client_header_timeout 10s",
          "client_header_timeout 1s",
        )
          .replace("client_body_timeout 60s", "client_body_timeout 2s").replace(
            "mcp_clients 512",
            "mcp_clients 4",
          ),
    }),
  );
  made.use(
    await startHttpMode({
      port: inner,
      upstreamUrl: upstream.url,
      args: ["--inbound-auth-provider", "none", "--outbound-auth", "none"],
      env: { TRUSTED_PROXY_CIDRS: "127.0.0.1/32", BODY_READ_TIMEOUT: "1s" },
    }),
  );
  const all = made.move();
  return { edge, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Sends the beginning of a request and gives all that came back until the edge closed the connection. */
async function untilClosed(url: string, text: string): Promise<string> {
  using connection = await Deno.connectTls({
    hostname: "localhost",
    port: Number(new URL(url).port),
    caCerts,
  });
  await connection.write(new TextEncoder().encode(text));
  const late = setTimeout(() => connection.close(), 15_000);
  let got = "";
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const size = await connection.read(buffer).catch((error) => {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) throw error;
      return null;
    });
    if (size === null) break;
    got += new TextDecoder().decode(buffer.subarray(0, size));
  }
  clearTimeout(late);
  return got;
}

for (const program of ["caddy", "nginx"] as const) {
  testWithService(
    program,
    `${program}: whoever does not finish a request is cut off, and large headers get our answer`,
    async (path) => {
      await using behind = await site(program, path);
      const { url } = behind.edge;
      const host = `Host: ${new URL(url).host}\r\n`;
      const json = `${host}Content-Type: application/json\r\n`;

      const [nothing, headers, large, body] = await Promise.all([
        untilClosed(url, ""),
        untilClosed(url, `POST /mcp HTTP/1.1\r\n${host}X-Half: `),
        untilClosed(
          url,
          `GET /mcp HTTP/1.1\r\n${host}Connection: close\r\nX-One: ${"x".repeat(25_000)}\r\nX-Two: ${
            "x".repeat(25_000)
          }\r\n\r\n`,
        ),
        // Caddy's time for a body would end event streams as well.
        program === "nginx"
          ? untilClosed(url, `POST /mcp HTTP/1.1\r\n${json}Content-Length: 50\r\n\r\n{`)
          : "",
      ]);

      assert.equal(nothing, "");
      assert.match(headers, /^(HTTP\/1\.1 408 [\s\S]*)?$/);
      assert.match(body, /^(HTTP\/1\.1 408 [\s\S]*)?$/);
      assert.match(large, /^HTTP\/1\.1 431 [\s\S]*"The request's headers are too large"/);
    },
  );
}

testWithService("nginx", "nginx: an address has so many connections and no more", async (path) => {
  await using behind = await site("nginx", path);
  const url = `${behind.edge.url}/mcp`;
  const open = async () => {
    const client = Deno.createHttpClient({ caCerts, http2: false, poolMaxIdlePerHost: 0 });
    return { client, response: await fetch(url, { client }) };
  };

  const held = await Promise.all(Array.from({ length: 4 }, open));
  const refused = await open();

  assert.deepEqual(held.map(({ response }) => response.status), [200, 200, 200, 200]);
  assert.equal(refused.response.status, 503);
  for (const { client, response } of [...held, refused]) {
    await response.body?.cancel();
    client.close();
  }
});
