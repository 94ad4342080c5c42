import assert from "node:assert/strict";
import { originRules } from "../../lib/http/origin.ts";
import { rawRequest, sendRaw } from "./raw_client.ts";
import { recorder } from "./recorder.ts";
import { startFront } from "./support.ts";

const token = "Authorization: Bearer alice";

function header(text: string, name: string): string | undefined {
  return new RegExp(`\\n${name}: ([^\\r]*)`, "i").exec(text)?.[1];
}

Deno.test("a page of another origin is refused although it has a token, and the upstream sees nothing", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (
    const origin of [
      "https://evil.example",
      "null",
      "https://claude.ai.evil",
      "http://claude.ai",
      "https://claude.ai:444",
    ]
  ) {
    const answer = await sendRaw(
      front.port,
      rawRequest("POST /mcp HTTP/1.1", [token, `Origin: ${origin}`], "{}"),
    );
    assert.equal(answer.status, 403, origin);
    assert.equal(header(answer.text, "access-control-allow-origin"), undefined);
  }

  assert.equal(seen.length, 0);
});

Deno.test("an allowed page may read the answer and its headers, refusals included", async () => {
  const { seen, upstream } = recorder(() =>
    new Response("{}", { headers: { "access-control-allow-origin": "https://x" } })
  );
  await using front = await startFront({ upstream });

  for (const [headers, status] of [[[token], 200], [[], 401]] as const) {
    const request = rawRequest("POST /mcp HTTP/1.1", [...headers, "Origin: https://claude.ai"], "{}");
    const answer = await sendRaw(front.port, request);
    assert.equal(answer.status, status);
    assert.equal(header(answer.text, "access-control-allow-origin"), "https://claude.ai");
    assert.match(
      header(answer.text, "access-control-expose-headers") ?? "",
      /WWW-Authenticate, Mcp-Session-Id/,
    );
    assert.match(header(answer.text, "vary") ?? "", /Origin/);
    assert.equal(header(answer.text, "access-control-allow-credentials"), undefined);
  }

  assert.equal(seen[0]?.headers.get("origin"), null);
});

Deno.test("answers about the mount carry each header for pages once, whoever made them", async () => {
  const { upstream } = recorder(() =>
    new Response("{}", {
      headers: {
        "access-control-allow-origin": "https://x",
        "access-control-expose-headers": "X-Inner",
        "vary": "Origin, Accept",
      },
    })
  );
  await using front = await startFront({ upstream });
  const post = rawRequest("POST /mcp HTTP/1.1", [token, "Origin: https://claude.ai"], "{}");

  for (
    const request of [
      post,
      post.replace("POST", "PUT"),
      post.replace(`${token}\r\n`, ""),
      post.replace("POST", "OPTIONS"),
      post.replace("Content-Length: 2", "Content-Length: 999999999"),
    ]
  ) {
    const { text } = await sendRaw(front.port, request);
    for (const name of ["access-control-allow-origin", "access-control-expose-headers", "vary"]) {
      const all = text.match(new RegExp(`\n${name}: `, "gi"));
      assert.equal(all?.length, 1, `${name} in ${text}`);
    }
    assert.equal(header(text, "vary"), "Origin");
  }
});

Deno.test("a preflight needs no token and names the headers of MCP and those that were asked for", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  for (const path of ["/mcp", "/mcp/sub", "/token", "/.well-known/oauth-protected-resource/mcp"]) {
    const answer = await sendRaw(
      front.port,
      rawRequest(`OPTIONS ${path} HTTP/1.1`, [
        "Origin: https://claude.ai",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: Mcp-Param-Region, authorization, bad header",
      ]),
    );
    assert.equal(answer.status, 204, answer.text);
    const names = (header(answer.text, "access-control-allow-headers") ?? "").split(", ");
    for (
      const name of [
        "authorization",
        "content-type",
        "mcp-session-id",
        "mcp-method",
        "last-event-id",
        "mcp-param-region",
      ]
    ) {
      assert.ok(names.includes(name), `${path}: ${name}`);
    }
    assert.ok(names.every((name) => /^[a-z0-9-]+$/.test(name)));
    assert.equal(header(answer.text, "access-control-max-age"), "600");
  }

  const refused = await sendRaw(
    front.port,
    rawRequest("OPTIONS /mcp HTTP/1.1", ["Origin: https://evil.example"]),
  );
  assert.equal(refused.status, 403);
  const plain = await sendRaw(front.port, rawRequest("OPTIONS /mcp HTTP/1.1"));
  assert.equal(plain.status, 204);
  assert.equal(seen.length, 0);
});

Deno.test("an endpoint for programs is open to every page, unless a cookie comes along", async () => {
  const { upstream } = recorder();
  await using front = await startFront({ upstream });
  const foreign = "Origin: https://inspector.example";

  for (const path of ["/token", "/.well-known/oauth-protected-resource/mcp"]) {
    const preflight = await sendRaw(front.port, rawRequest(`OPTIONS ${path} HTTP/1.1`, [foreign]));
    assert.equal(preflight.status, 204, path);
    assert.equal(header(preflight.text, "access-control-allow-origin"), "*");
  }
  const open = await sendRaw(front.port, rawRequest("POST /token HTTP/1.1", [foreign], "{}"));
  const ambient = await sendRaw(
    front.port,
    rawRequest("POST /token HTTP/1.1", [foreign, "Cookie: a=b"], "{}"),
  );

  assert.equal(open.status, 200);
  assert.equal(header(open.text, "access-control-allow-origin"), "*");
  assert.equal(ambient.status, 403);
});

Deno.test("on a loopback bind a host that is not ours is refused, whatever its origin says", async () => {
  const { seen, upstream } = recorder();
  await using front = await startFront({ upstream });

  const ask = async (path: string, ...headers: string[]) => {
    const answer = await sendRaw(front.port, rawRequest(`POST ${path} HTTP/1.1`, [token, ...headers], "{}"));
    return `${answer.status} ${/"error_description":"([^"]*)"/.exec(answer.text)?.[1] ?? ""}`;
  };
  const refused = "403 Host not allowed";

  for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.1", "[::2]"]) {
    for (const origin of ["http://evil.example", "https://claude.ai", undefined]) {
      const headers = origin === undefined ? [] : [`Origin: ${origin}`];
      for (const path of ["/mcp", "/mcp/x", "/token", "/healthz"]) {
        assert.equal(await ask(path, `Host: ${host}`, ...headers), refused, `${host} ${origin} ${path}`);
      }
    }
  }
  assert.equal(seen.length, 0);
  for (const host of [`localhost:${front.port}`, "LOCALHOST", "127.0.0.1:1", "[::1]"]) {
    assert.equal(await ask("/mcp", `Host: ${host}`), "200 ", host);
  }
});

Deno.test("originRules() knows our own pages, a wildcard, and local pages of our own port", () => {
  const rules = originRules({
    origins: ["https://a.example/"],
    baseUrl: "https://us.example/base",
    hostname: "0.0.0.0",
  });
  assert.ok(rules.allowed("https://us.example"));
  assert.ok(rules.allowed("https://A.example"));
  assert.ok(!rules.allowed("https://b.example"));
  assert.ok(rules.hostAllowed("anything.example"));

  const any = originRules({ origins: ["*"], baseUrl: "https://us.example", hostname: "0.0.0.0" });
  assert.ok(any.allowed("https://b.example"));
  assert.ok(!any.allowed("null"));

  const local = originRules({ origins: [], baseUrl: "http://localhost:8000", hostname: "127.0.0.1" });
  assert.ok(local.allowed("http://127.0.0.1:8000"));
  assert.ok(!local.allowed("http://127.0.0.1:8001"));
  assert.ok(!local.hostAllowed("evil.example:8000"));
  assert.ok(local.hostAllowed("[::1]:8000"));
});
