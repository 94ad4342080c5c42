import assert from "node:assert/strict";
import { at, http, load, problemsOf } from "./support.ts";

const upstream = "http://up.example/mcp";
const authsome = {
  MCP_PROXY_TRANSPORT: "http",
  MCP_PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: upstream,
  INBOUND_AUTH_PROVIDER: "oidc",
  OIDC_ISSUER_URL: "https://i.example",
  OIDC_CLIENT_ID: "c",
};
const babs = {
  PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://up.example/tools",
  OIDC_ISSUER_URL: "https://i.example",
  OIDC_CLIENT_ID: "c",
};
const allardy = {
  RESOURCE_URL: "https://d.example",
  MCP_UPSTREAM_URL: "http://up.example",
  OIDC_ISSUER_URL: "https://i.example/",
  OIDC_AUDIENCE: "aud",
  ALLOW_SUBS: "me",
};

/** The design's table: a path of the configuration, and what it is in each dialect. */
const defaults: readonly (readonly [path: string, authsome: unknown, babs: unknown, allardy: unknown])[] = [
  ["dialect", "authsome", "babs", "allardy"],
  ["mode", "http", "http", "http"],
  ["inbound.shape", "bridge", "bridge", "remote"],
  ["listen.hostname", "0.0.0.0", "0.0.0.0", "0.0.0.0"],
  ["listen.port", 8000, 8080, 8080],
  ["inbound.resource", "https://d.example/mcp", "https://d.example/tools", "https://d.example"],
  ["inbound.mountPath", "/mcp", "/tools", "/"],
  ["inbound.baseUrl", "https://d.example", "https://d.example", "https://d.example"],
  ["outbound.mode", "forward", "none", "none"],
  ["inbound.paths.callback", "/auth/callback", "/callback", undefined],
  ["inbound.idp.scopes", ["openid", "email", "profile"], ["openid", "email", "profile"], undefined],
  ["inbound.paths.register", "/register", "/register", undefined],
  ["inbound.registerPath", undefined, undefined, "/oauth/register"],
  ["inbound.scopesSupported", ["openid", "email", "profile"], ["openid", "email", "profile"], [
    "openid",
    "profile",
    "email",
    "offline_access",
  ]],
  ["inbound.stateRequired", false, true, undefined],
  ["limits.perSubjectConcurrency", 16, 16, 0],
  ["limits.perSubjectPerMinute", 0, 0, 60],
];

for (const [path, ...expected] of defaults) {
  Deno.test(`each dialect's ${path}`, () => {
    for (const [which, env] of [authsome, babs, allardy].entries()) {
      assert.deepEqual(at(http([], { env }), path), expected[which]);
    }
  });
}

Deno.test("without a public URL that names one, the transport is stdio", () => {
  const config = load([upstream]);

  assert.ok(!Array.isArray(config) && config.mode === "stdio");
  const withBase = load([upstream], { env: { MCP_PROXY_BASE_URL: "https://d.example" } });
  assert.ok(!Array.isArray(withBase) && withBase.mode === "stdio");
});

Deno.test("the public URLs of two dialects are an error, except in stdio mode", () => {
  const env = { ...babs, RESOURCE_URL: "https://e.example" };

  assert.match(problemsOf([], { env })[0] ?? "", /PROXY_BASE_URL and RESOURCE_URL together/);
  assert.deepEqual(problemsOf(["--transport", "stdio"], { env }), []);
});

Deno.test("what is given wins over a dialect's default", () => {
  const env = { OUTBOUND_AUTH: "forward", MCP_PROXY_PORT: "1", MCP_PER_SUBJECT_CONCURRENCY: "3" };
  const config = http([], { env: { ...babs, ...env } });

  assert.equal(config.outbound.mode, "forward");
  assert.equal(config.listen.port, 1);
  assert.equal(config.limits.perSubjectConcurrency, 3);
  const stdio = load([], { env: { ...babs, MCP_PROXY_TRANSPORT: "stdio" } });
  assert.ok(!Array.isArray(stdio) && stdio.mode === "stdio");
});

Deno.test("UPSTREAM_AUTHORIZATION_HEADER alone makes outbound static", () => {
  const env = { ...babs, UPSTREAM_AUTHORIZATION_HEADER: "Bearer k" };
  assert.deepEqual(http([], { env }).outbound, {
    mode: "static",
    config: { name: "authorization", value: "Bearer k" },
  });
  assert.equal(http([], { env: { ...env, OUTBOUND_AUTH: "none" } }).outbound.mode, "none");
  const kept = { env: { ...babs, UPSTREAM_AUTHORIZATION_HEADER_FILE: "/s" }, files: { "/s": "Bearer f\n" } };
  assert.deepEqual(http([], kept).outbound.config, { name: "authorization", value: "Bearer f" });
});

Deno.test("a base URL with a path keeps it in resource and mount", () => {
  const config = http([], { env: { ...authsome, MCP_PROXY_BASE_URL: "https://d.example/team/" } });

  assert.equal(at(config, "inbound.baseUrl"), "https://d.example/team");
  assert.equal(at(config, "inbound.resource"), "https://d.example/team/mcp");
  assert.equal(at(config, "inbound.mountPath"), "/team/mcp");
  assert.equal(config.keys.audience, "https://d.example/team");
});

Deno.test("MCP_PROXY_PATH overrides the mount of every dialect", () => {
  for (const env of [authsome, babs, allardy]) {
    const config = http([], { env: { ...env, MCP_PROXY_PATH: "/x/y/" } });
    assert.equal(at(config, "inbound.resource"), "https://d.example/x/y");
    assert.equal(at(config, "inbound.mountPath"), "/x/y");
  }
});

Deno.test("base URLs: https, or http on this machine; no query, no fragment", () => {
  const judged = (url: string) => problemsOf([], { env: { ...authsome, MCP_PROXY_BASE_URL: url } });

  for (
    const good of [
      "https://d.example",
      "https://d.example/",
      "http://localhost:8000",
      "http://127.0.0.1",
      "http://[::1]:1",
    ]
  ) {
    assert.deepEqual(judged(good), [], good);
  }
  for (
    const bad of [
      "http://d.example",
      "https://d.example/?a",
      "https://d.example?",
      "https://d.example/#x",
      "https://d.example#",
      "https://u:p@d.example",
      "d.example",
      "ftp://d.example",
    ]
  ) assert.equal(judged(bad).length, 1, bad);
});

Deno.test("babs' upstream URL: a path of plain characters that is none of ours, for it is the mount too", () => {
  const judged = (url: string) => problemsOf([], { env: { ...babs, UPSTREAM_MCP_URL: url } });

  for (
    const good of [
      "http://u/mcp",
      "http://u/mcp/",
      "http://u/tokenize",
      "http://u/a/b-c_d.e~f",
      "http://u/registered",
    ]
  ) {
    assert.deepEqual(judged(good), [], good);
  }
  for (
    const bad of [
      "http://u/token",
      "http://u/token/x",
      "http://u/healthz",
      "http://u/.well-known/x",
      "http://u/consent",
      "http://u/callback",
      "http://u/a//b",
      "http://u/a%20b",
      "http://u/a;b",
      "http://u/mcp?x=1",
      "http://u/mcp#x",
    ]
  ) assert.equal(judged(bad).length, 1, `${bad}: ${judged(bad)}`);
  assert.match(judged("http://u:8000")[0] ?? "", /http:\/\/u:8000\/mcp/);
  assert.match(judged("http://u:8000//")[0] ?? "", /http:\/\/u:8000\/mcp/);
});

Deno.test("the names of the address agree or are an error, and PORT is the weakest", () => {
  const listen = (env: Record<string, string>) => http([], { env: { ...authsome, ...env } }).listen;

  assert.deepEqual(listen({ LISTEN_ADDR: ":9000", PORT: "1" }), { hostname: "0.0.0.0", port: 9000 });
  assert.deepEqual(listen({ MCP_PROXY_PORT: "7", PORT: "1" }), { hostname: "0.0.0.0", port: 7 });
  assert.deepEqual(listen({ PORT: "1" }), { hostname: "0.0.0.0", port: 1 });
  assert.deepEqual(listen({ LISTEN_ADDR: "[::1]:9000", MCP_PROXY_HOST: "::1" }), {
    hostname: "::1",
    port: 9000,
  });
  assert.match(
    problemsOf([], { env: { ...authsome, LISTEN_ADDR: ":9000", MCP_PROXY_PORT: "9001" } })[0] ?? "",
    /LISTEN_ADDR together with a different MCP_PROXY_PORT/,
  );
  const flags = ["--port", "9001", "--host", "::1"];
  const strong = http(flags, { env: { ...authsome, LISTEN_ADDR: ":9000" } }).listen;
  assert.deepEqual(strong, { hostname: "::1", port: 9001 });
  const weak = http(["--listen-addr", "127.0.0.1:1"], { env: { ...authsome, MCP_PROXY_PORT: "2" } }).listen;
  assert.deepEqual(weak, { hostname: "127.0.0.1", port: 1 });
});

Deno.test("inbound none binds loopback and is refused elsewhere", () => {
  const none = ["--transport=http", "--inbound-auth-provider=none", upstream];

  assert.deepEqual(http(none).listen, { hostname: "127.0.0.1", port: 8000 });
  assert.deepEqual(http(none).outbound.mode, "none");
  assert.match(
    problemsOf([...none, "--host", "0.0.0.0"])[0] ?? "",
    /Cannot listen on 0\.0\.0\.0 with inbound none/,
  );
  assert.match(problemsOf([...none, "--listen-addr", ":1"])[0] ?? "", /Cannot listen on 0\.0\.0\.0/);
  assert.match(problemsOf([...none, "--outbound-auth", "forward"])[0] ?? "", /forward with inbound none/);
});

Deno.test("allardy's rules: one upstream, a port with the command, both static names, a list, an audience", () => {
  const judged = (env: Record<string, string>) => problemsOf([], { env: { ...allardy, ...env } });

  assert.deepEqual(judged({}), []);
  assert.match(judged({ MCP_UPSTREAM_URL: "" })[0] ?? "", /without an upstream/);
  assert.match(
    judged({ MCP_SPAWN_CMD: "x", MCP_SPAWN_PORT: "1" })[0] ?? "",
    /MCP_UPSTREAM_URL and MCP_SPAWN_CMD together/,
  );
  assert.match(judged({ MCP_UPSTREAM_URL: "", MCP_SPAWN_CMD: "x" })[0] ?? "", /without MCP_SPAWN_PORT/);
  assert.match(judged({ MCP_SPAWN_PORT: "1" })[0] ?? "", /without MCP_SPAWN_CMD/);
  assert.match(judged({ STATIC_CLIENT_ID: "x" })[0] ?? "", /STATIC_CLIENT_SECRET one without the other/);
  assert.match(judged({ STATIC_CLIENT_SECRET: "x" })[0] ?? "", /one without the other/);
  assert.match(judged({ ALLOW_SUBS: "" })[0] ?? "", /without an allow-list/);
  assert.match(judged({ ALLOW_SUBS: " , " })[0] ?? "", /without an allow-list/);
  assert.match(judged({ OIDC_AUDIENCE: "" })[0] ?? "", /without OIDC_AUDIENCE/);
  for (const list of ["ALLOW_EMAILS", "ALLOW_DOMAINS", "ALLOW_GROUPS", "ALLOWED_GROUPS"]) {
    assert.deepEqual(judged({ ALLOW_SUBS: "", [list]: list === "ALLOW_EMAILS" ? "a@b.c" : "b.c" }), [], list);
  }
});

Deno.test("the child's command is split as a shell would, and nothing is expanded", () => {
  const command = (text: string) => {
    const env = { ...allardy, MCP_UPSTREAM_URL: "", MCP_SPAWN_CMD: text, MCP_SPAWN_PORT: "1" };
    return at(http([], { env }), "upstream.command");
  };

  assert.deepEqual(command("npx -y s --port 1"), ["npx", "-y", "s", "--port", "1"]);
  assert.deepEqual(command(`a --x="b c" 'd e' f\\ g "" $HOME \`x\``), [
    "a",
    "--x=b c",
    "d e",
    "f g",
    "",
    "$HOME",
    "`x`",
  ]);
  assert.deepEqual(command(`"a\\"b" 'c\\d'`), ['a"b', "c\\d"]);
});

Deno.test("a command on stdio takes no credential", () => {
  const env = { ...authsome, UPSTREAM_MCP_URL: "", MCP_SPAWN_STDIO: "node s.js" };

  assert.equal(http([], { env }).outbound.mode, "none");
  assert.match(
    problemsOf([], { env: { ...env, OUTBOUND_AUTH: "forward" } })[0] ?? "",
    /forward with MCP_SPAWN_STDIO: a command on stdio takes no credential/,
  );
  const withheld = at(http([], { env }), "upstream.withheldVariables");
  assert.ok(Array.isArray(withheld));
  for (const name of ["TOKEN_SIGNING_SECRET", "OIDC_CLIENT_SECRET", "OIDC_CLIENT_SECRET_FILE", "REDIS_URL"]) {
    assert.ok(withheld.includes(name), name);
  }
});

Deno.test("state is demanded of everybody where PKCE is not, unless that is allowed too", () => {
  const lax = { ...authsome, PROD_MODE: "false", PKCE_REQUIRED: "false" };

  assert.equal(at(load([], { env: lax }), "inbound.stateRequired"), true);
  const allowed = { ...lax, COMPAT_ALLOW_STATELESS: "true" };
  assert.equal(at(load([], { env: allowed }), "inbound.stateRequired"), false);
});
