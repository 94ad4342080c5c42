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

const unreachable = "The MCP server behind this address cannot be reached";
const broken = "The MCP server behind this address broke off or did not speak HTTP";
const late = "The MCP server behind this address did not answer in time";
const redirected = "The MCP server behind this address answered with a redirect that cannot be followed";
const refused = "The MCP server behind this address refused the proxy's credential";

/** A failing upstream: where it is. */
type Behind = AsyncDisposable & { readonly url: string };

/** Reads the request and answers with these bytes. */
function says(bytes: string): Behind {
  return startBytes(async (connection) => {
    await connection.read(new Uint8Array(65_536));
    await connection.write(new TextEncoder().encode(bytes));
  });
}

function nobodyAt(url: string): Behind {
  return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Accepts connections, reads, and says nothing at all. */
function silent(protocol: "http" | "https"): Behind {
  const behind = startBytes(async (connection) => {
    while (await connection.read(new Uint8Array(65_536)) !== null);
  });
  return {
    url: behind.url.replace("http", protocol),
    [Symbol.asyncDispose]: () => behind[Symbol.asyncDispose](),
  };
}

const json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

const failures: [name: string, start: () => Behind, status: number, sentence: string][] = [
  ["is down", () => nobodyAt(`http://127.0.0.1:${unusedPort()}/mcp`), 502, unreachable],
  ["has a name that nobody knows", () => nobodyAt("http://inside.invalid/mcp"), 502, unreachable],
  [
    "speaks no TLS where it should",
    () => {
      const behind = says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
      return { ...behind, url: behind.url.replace("http", "https") };
    },
    502,
    unreachable,
  ],
  ["accepts and never finishes the handshake", () => silent("https"), 504, late],
  ["accepts and never answers, with a limit", () => silent("http"), 504, late],
  ["closes without an answer", () => says(""), 502, broken],
  ["closes in the status line", () => says("HTTP/1.1 2"), 502, broken],
  ["closes in the headers", () => says("HTTP/1.1 200 OK\r\nContent-Type: app"), 502, broken],
  ["closes in a small body", () => says(`${json}Content-Length: 100\r\n\r\n{"half`), 502, broken],
  ["does not speak HTTP", () => says("nonsense\r\n\r\n"), 502, broken],
  ["speaks another protocol's greeting", () => says("SSH-2.0-OpenSSH_9.6\r\n"), 502, broken],
  ["sends a header that is none", () => says("HTTP/1.1 200 OK\r\nbad header\r\n\r\n"), 502, broken],
  ["sends two lengths", () => says(`${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`), 502, broken],
  ["switches protocols", () => says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 502, broken],
  [
    "redirects to another host",
    () => says("HTTP/1.1 307 T\r\nLocation: http://inside.invalid/x\r\nContent-Length: 0\r\n\r\n"),
    502,
    redirected,
  ],
  [
    "refuses our credential",
    () => says('HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer realm="inside"\r\nContent-Length: 0\r\n\r\n'),
    502,
    refused,
  ],
];

for (const [name, start, status, sentence] of failures) {
  Deno.test(`an upstream that ${name} is ${status}, said for the request's own id and without its address`, async () => {
    await using behind = start();
    const url = new URL(behind.url);
    await using front = await startFront({ upstream: url, connectTimeoutMs: 700, firstByteTimeoutMs: 700 });
    const ask = (init: RequestInit) => fetch(front.url, { headers: bearer, ...init });

    const requests: [id: string, init: RequestInit][] = [
      ["41", { method: "POST", body: call }],
      ['"a-b"', { method: "POST", body: call.replace("41", '"a-b"') }],
      ["null", { method: "POST", body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' }],
      ["null", {}],
      ["null", { method: "DELETE" }],
    ];
    await Promise.all(requests.map(async ([id, init]) => {
      const answer = await ask(init);

      assert.equal(answer.status, status);
      const text = await answer.text();
      assert.equal(text, `{"jsonrpc":"2.0","id":${id},"error":{"code":-31001,"message":"${sentence}"}}`);
      const headers = [...answer.headers].map(([key, value]) => `${key}: ${value}`).sort();
      assert.deepEqual(
        headers.filter((line) => !/^(date|x-request-id|content-length|vary): /.test(line)),
        said,
      );
      for (const inside of [url.port, "inside", "Bearer"]) {
        assert.ok(
          inside === "" || !`${text} ${headers.join(" ")}`.replace(/content-security.*/, "").includes(inside),
        );
      }
    }));
  });
}

/** The headers of every failure, and nothing else. */
const said = [
  "cache-control: no-store, no-transform",
  "content-security-policy: default-src 'none'; frame-ancestors 'none'",
  "content-type: application/json",
  "referrer-policy: no-referrer",
  "strict-transport-security: max-age=63072000; includeSubDomains",
  "x-content-type-options: nosniff",
  "x-frame-options: DENY",
];

Deno.test("an upstream that is back answers at once", async () => {
  const port = unusedPort();
  await using front = await startFront({ upstream: new URL(`http://127.0.0.1:${port}/mcp`) });
  assert.equal((await post(front.url)).status, 502);

  await using _behind = startHandler(() => Response.json({ back: true }), { port });

  assert.equal((await post(front.url)).status, 200);
});

Deno.test("an upstream that is slow to answer is waited for, whatever the time to connect", async () => {
  await using front = await startFront({
    connectTimeoutMs: 200,
    upstream: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return Response.json({ slow: true });
    },
  });

  assert.deepEqual(await post(front.url).then(({ status, text }) => [status, text]), [200, '{"slow":true}']);
});

Deno.test("an upstream that dies within an answer that has begun is a cut, never a shorter answer", async () => {
  const half = "x".repeat(70_000);
  for (
    const [framing, body] of [
      ["Content-Length: 100000", half],
      ["Transfer-Encoding: chunked", `${half.length.toString(16)}\r\n${half}\r\n`],
      ["Transfer-Encoding: chunked", '7\r\n{"half"\r\n'],
    ] as const
  ) {
    await using behind = says(`${json}${framing}\r\n\r\n${body}`);
    await using front = await startFront({ upstream: new URL(behind.url) });

    const answer = await fetch(front.url, { method: "POST", headers: bearer, body: call });

    assert.equal(answer.status, 200);
    await assert.rejects(answer.text(), `${framing} ${body.length}`);
  }
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
