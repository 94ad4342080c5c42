/** The edge snippets of scripts/deploy/edge/ in real edges, in front of the running program, over TLS. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { runDoorman } from "../support/process.ts";
import { type EdgeProgram, startRealEdge } from "../support/real_edge.ts";
import { findService, testWithService } from "../support/services.ts";
import { browserFor } from "../support/stdio_client.ts";
import { tlsFiles } from "../support/tls.ts";

const ca = Deno.readTextFileSync(tlsFiles.ca);
const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}';
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** What the edge passes on to: http mode without a login, in front of what a test answers. */
async function behind(
  program: EdgeProgram,
  path: string,
  answer: (request: Request) => Response | Promise<Response>,
) {
  await using made = new AsyncDisposableStack();
  const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  made.defer(() => upstream.shutdown());
  const inner = unusedPort();
  const edge = made.use(await startRealEdge(program, path, { inner }));
  const http = made.use(
    await startHttpMode({
      port: inner,
      upstreamUrl: `http://127.0.0.1:${upstream.addr.port}/mcp`,
      args: ["--inbound-auth-provider", "none", "--outbound-auth", "none"],
      env: { TRUSTED_PROXY_CIDRS: "127.0.0.1/32" },
    }),
  );
  const client = made.use(Deno.createHttpClient({ caCerts: [ca] }));
  const all = made.move();
  return { edge, http, client, url: `${edge.url}/mcp`, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

for (const program of ["caddy", "nginx"] as const) {
  testWithService(
    program,
    `${program}: every client of the table passes, and one logs in and lists tools`,
    async (path) => {
      await using idp = await startIdp();
      await using upstream = startUpstream();
      const inner = unusedPort();
      await using edge = await startRealEdge(program, path, { inner });
      await using _http = await startHttpMode({
        ...{ idp, upstreamUrl: upstream.url, port: inner, baseUrl: edge.url, dontWait: true },
        env: { TRUSTED_PROXY_CIDRS: "127.0.0.1/32" },
      });
      await _http.process.line("stderr", /"listening"/);

      const { code, stdout, stderr } = await runDoorman(["doctor", "--json", "--login", `${edge.url}/mcp`], {
        env: { DENO_CERT: tlsFiles.ca, BROWSER: browserFor("alice") },
      });

      const { ok, clients, findings } = JSON.parse(stdout);
      assert.deepEqual(findings.filter(({ level }: { level: string }) => level === "fail"), [], stderr);
      assert.deepEqual([ok, code, clients.length], [true, 0, 9]);
      assert.ok(findings.some(({ check }: { check: string }) => check === "tools"));
    },
  );

  testWithService(
    program,
    `${program}: the first event comes at once and each when it is sent, uncompressed`,
    async (path) => {
      let send: (text: string) => void = () => {};
      await using site = await behind(program, path, () => {
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            send = (text) => controller.enqueue(new TextEncoder().encode(text));
            send("data: 1\n\n");
          },
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      });
      const headers = { ...json, "accept-encoding": "gzip, br" };
      const { client } = site;

      const answer = await fetch(site.url, {
        method: "POST",
        headers,
        body: call,
        client,
        signal: AbortSignal.timeout(20_000),
      });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();

      // Whatever is held back on the way would make these wait for ever: nothing more is sent before each is read.
      assert.equal((await reader?.read())?.value, "data: 1\n\n");
      for (const text of ["data: 2\n\n", `data: ${"3".repeat(5_000)}\n\n`]) {
        send(text);
        let got = "";
        while (got.length < text.length) got += (await reader?.read())?.value ?? "";
        assert.equal(got, text);
      }
      await reader?.cancel();
      assert.equal(answer.headers.get("content-encoding"), null);
      assert.match(answer.headers.get("content-type") ?? "", /^text\/event-stream/);
      assert.match(answer.headers.get("x-request-id") ?? "", /^[\w-]+$/);
      // Once: what the edge adds by itself must not double ours.
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    },
  );

  testWithService(
    program,
    `${program}: a large request is not held back or refused, and comes whole`,
    async (path) => {
      const arrived = Promise.withResolvers<void>();
      await using site = await behind(program, path, async (request) => {
        const reader = request.body?.getReader();
        let bytes = 0;
        for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) {
          bytes += piece.value.byteLength;
          arrived.resolve();
        }
        return Response.json({ bytes });
      });
      const piece = new Uint8Array(512 * 1024).fill(32);
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(piece);
          // The rest is sent once the beginning has reached the upstream: nobody waits for the whole of it.
          await arrived.promise;
          for (let count = 1; count < 16; count++) controller.enqueue(piece);
          controller.close();
        },
      });

      const { client } = site;
      const answer = await fetch(site.url, {
        method: "POST",
        headers: json,
        body,
        client,
        signal: AbortSignal.timeout(20_000),
      });

      assert.deepEqual(await answer.json(), { bytes: 16 * piece.length });
    },
  );

  testWithService(
    program,
    `${program}: the client's own address is what is logged, whatever the client says it is`,
    async (path) => {
      await using site = await behind(program, path, () => Response.json({}));

      const curl = findService("curl").path ?? "curl";
      const { code } = await new Deno.Command(curl, {
        args: ["-sS", "--cacert", tlsFiles.ca, "--interface", "127.0.0.2", "-H", "X-Forwarded-For: 8.8.8.8"]
          .concat(["-H", "content-type: application/json", "-d", call, "-o", "/dev/null", site.url]),
      }).output();

      assert.equal(code, 0);
      const line = JSON.parse(await site.http.process.line("stderr", /"path":"\/mcp"/));
      assert.equal(line.address, "127.0.0.2");
    },
  );
}
