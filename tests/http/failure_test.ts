import assert from "node:assert/strict";
import { startBytes, startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { recorder } from "./recorder.ts";
import { startFront } from "./support.ts";

const bearer = { authorization: "Bearer alice" };
const call = '{"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"x"}}';

async function post(url: string, body = call) {
  const response = await fetch(url, { method: "POST", headers: bearer, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function error(id: unknown, message: string) {
  return { jsonrpc: "2.0", id, error: { code: -31001, message } };
}

const unreachable = "The MCP server behind this address cannot be reached";
const broken = "The MCP server behind this address broke off or did not speak HTTP";

Deno.test("an upstream that is down is 502 with the request's id and without its address", async () => {
  const port = unusedPort();
  await using front = await startFront({ upstream: new URL(`http://127.0.0.1:${port}/mcp`) });

  const answer = await post(front.url);

  assert.equal(answer.status, 502);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(answer.text), error(41, unreachable));
  const get = await fetch(front.url, { headers: bearer });
  assert.deepEqual([get.status, await get.json()], [502, error(null, unreachable)]);
  assert.ok(!answer.text.includes(String(port)) && !answer.text.includes("127.0.0.1"));
});

Deno.test("an upstream that is back answers at once", async () => {
  const port = unusedPort();
  await using front = await startFront({ upstream: new URL(`http://127.0.0.1:${port}/mcp`) });
  assert.equal((await post(front.url)).status, 502);

  await using _behind = startHandler(() => Response.json({ back: true }), { port });

  assert.equal((await post(front.url)).status, 200);
});

Deno.test("an upstream that does not speak HTTP, or breaks off, is 502", async () => {
  for (
    const bytes of [
      "nonsense\r\n\r\n",
      "",
      "HTTP/1.1 2",
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half',
      "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ]
  ) {
    await using behind = startBytes(async (connection) => {
      await connection.read(new Uint8Array(65_536));
      await connection.write(new TextEncoder().encode(bytes));
    });
    await using front = await startFront({ upstream: new URL(behind.url) });

    const answer = await post(front.url);

    assert.equal(answer.status, 502, bytes);
    assert.equal(JSON.parse(answer.text).id, 41);
    assert.ok([broken, unreachable].includes(JSON.parse(answer.text).error.message));
  }
});

Deno.test("an upstream that is silent is waited for, unless a limit is set: then 504", async () => {
  const never = Promise.withResolvers<Response>();
  await using behind = startHandler(() => never.promise);
  await using front = await startFront({ upstream: new URL(behind.url), firstByteTimeoutMs: 300 });

  const answer = await post(front.url);

  assert.equal(answer.status, 504);
  assert.deepEqual(
    JSON.parse(answer.text),
    error(41, "The MCP server behind this address did not answer in time"),
  );
  never.resolve(new Response(null));
});

Deno.test("307 and 308 to the same origin are followed with the body and the credential", async () => {
  for (const status of [307, 308]) {
    const bodies: string[] = [];
    const { seen, upstream } = recorder(({ target, body }) => {
      bodies.push(body);
      return target === "/mcp/"
        ? Response.json({ arrived: true })
        : new Response(null, { status, headers: { location: "/mcp/" } });
    });
    await using front = await startFront({ upstream });

    const answer = await post(front.url);

    assert.equal(answer.status, 200);
    assert.deepEqual(bodies, [call, call]);
    assert.equal(seen[1]?.headers.get("x-user-sub"), "alice");
  }
});

Deno.test("every other redirect is 502, is not followed and shows nothing of its target", async () => {
  await using elsewhere = startHandler(() => Response.json({ stolen: true }));
  const targets: [number, string | undefined][] = [
    [307, elsewhere.url],
    [308, "http://inside.example/mcp"],
    [301, "/other"],
    [302, "/other"],
    [303, "/other"],
    [307, undefined],
    [307, "/mcp"],
  ];
  for (const [status, location] of targets) {
    const headers: Record<string, string> = location === undefined ? {} : { location };
    await using front = await startFront({ upstream: () => new Response(null, { status, headers }) });

    const answer = await post(front.url);

    assert.equal(answer.status, 502, `${status} ${location}`);
    assert.equal(answer.headers.get("location"), null);
    assert.ok(!answer.text.includes("inside.example"));
  }
  assert.equal(elsewhere.received.length, 0);
});

Deno.test("a redirect that may not be followed is not followed to the same path of the upstream either", async () => {
  for (const [status, location] of [[307, "http://inside.example/ok"], [301, "/ok"], [303, "/ok"]] as const) {
    const { seen, upstream } = recorder(({ target }) =>
      target === "/ok" ? Response.json({}) : new Response(null, { status, headers: { location } })
    );
    await using front = await startFront({ upstream });

    assert.equal((await post(front.url)).status, 502);
    assert.deepEqual(seen.map(({ target }) => target), ["/mcp"]);
  }
});

Deno.test("what the upstream answers is passed on, whatever its status", async () => {
  for (const status of [200, 202, 400, 403, 404, 405, 406, 415, 422, 500, 501, 503]) {
    await using front = await startFront({
      upstream: () =>
        new Response(status === 202 ? null : '{"from":"upstream"}', {
          status,
          headers: { "retry-after": "3" },
        }),
    });

    const answer = await post(front.url);

    assert.equal(answer.status, status);
    assert.equal(answer.text, status === 202 ? "" : '{"from":"upstream"}');
    assert.equal(answer.headers.get("retry-after"), "3");
  }
});

Deno.test("an upstream is asked not to compress; one that does all the same is handed on readable", async () => {
  const text = '{"long":"' + "x".repeat(5_000) + '"}';
  const zipped = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")))
    .bytes();
  const asked: (string | null)[] = [];
  await using front = await startFront({
    upstream: (request) => {
      asked.push(request.headers.get("accept-encoding"));
      return new Response(zipped, {
        headers: { "content-encoding": "gzip", "content-type": "application/json" },
      });
    },
  });

  assert.equal((await post(front.url)).text, text);
  assert.deepEqual(asked, ["identity"]);
});
