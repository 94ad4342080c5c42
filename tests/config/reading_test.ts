import assert from "node:assert/strict";
import { table } from "../../lib/config/table.ts";
import { http, load, problemsOf, stdio } from "./support.ts";

const upstream = "https://up.example/mcp";

Deno.test("a flag beats a variable, which beats .env, which beats the default", () => {
  const files = { ".env": "MCP_PROXY_PORT=3", "x.env": "MCP_PROXY_PORT=3" };
  const base = ["--transport", "http", "--inbound-auth-provider", "none", upstream];
  const env = { MCP_PROXY_PORT: "2" };

  assert.equal(http([...base, "--port", "1"], { env, files }).listen.port, 1);
  assert.equal(http(base, { env, files }).listen.port, 2);
  assert.equal(http(base, { files }).listen.port, 3);
  assert.equal(http(base).listen.port, 8000);
  assert.equal(http([...base, "--port="], { env }).listen.port, 2);
  assert.equal(http(base, { env: { MCP_PROXY_PORT: "" }, files }).listen.port, 3);
});

Deno.test(".env is read in http mode, and in stdio mode only when it is named", () => {
  const files = { ".env": "OIDC_CLIENT_ID=from-dotenv", "/x/.env": "OIDC_CLIENT_ID=named" };

  assert.equal(stdio([upstream], { files }).login.clientId, undefined);
  assert.equal(stdio([upstream, "--env-file", "/x/.env"], { files }).login.clientId, "named");
  const jwt = [
    "--transport",
    "http",
    "--resource-url",
    "https://d.example",
    "--allow-subs=a",
    "--audience=x",
    upstream,
  ];
  assert.equal(http(jwt, { files: { ".env": "OIDC_ISSUER_URL=https://i.example" } }).mode, "http");
});

Deno.test("an --env-file can choose the mode, and replaces .env", () => {
  const files = {
    "p.env":
      `PROXY_BASE_URL=https://d.example\nUPSTREAM_MCP_URL=${upstream}\nOIDC_ISSUER_URL=https://i.example\nOIDC_CLIENT_ID=c`,
    ".env": "LOG_LEVEL=trace",
  };

  const config = http(["--env-file=p.env"], { files });
  assert.equal(config.dialect, "babs");
  assert.equal(config.log.level, "info");
});

Deno.test("an --env-file that is not there is a problem, a .env that is not there is none", () => {
  assert.match(problemsOf([upstream, "--env-file", "no.env"])[0] ?? "", /^Cannot read no\.env: /);
  assert.deepEqual(problemsOf(["--transport=http", "--inbound-auth-provider=none", upstream]), []);
});

Deno.test("two names with different values are an error that names both, with equal values none", () => {
  const env = { UPSTREAM_MCP_URL: upstream, MCP_BACKEND_URL: "https://other.example/mcp" };

  const [line, ...more] = problemsOf([], { env });
  assert.match(line ?? "", /UPSTREAM_MCP_URL and MCP_BACKEND_URL with different values/);
  assert.deepEqual(more, []);
  assert.deepEqual(problemsOf([], { env: { ...env, MCP_BACKEND_URL: upstream } }), []);
  assert.deepEqual(problemsOf([upstream], { env: { MCP_BACKEND_URL: "https://other.example" } }), []);
  assert.equal(problemsOf([upstream, "--upstream-mcp-url=https://other.example"]).length, 1);
});

Deno.test("a flag given twice must agree with itself", () => {
  assert.match(
    problemsOf([upstream, "--oidc-client-id", "a", "--oidc-client-id", "b"])[0] ?? "",
    /--oidc-client-id twice with different values/,
  );
  assert.equal(stdio([upstream, "--oidc-client-id", "a", "--oidc-client-id", "a"]).login.clientId, "a");
});

Deno.test("a secret and its file must agree, and a file that cannot be read is a problem", () => {
  const files = { "/s": "hunter1\n" };

  assert.equal(
    stdio([upstream], { env: { OIDC_CLIENT_SECRET_FILE: "/s" }, files }).login.clientSecret,
    "hunter1",
  );
  const [line] = problemsOf([upstream], {
    env: { OIDC_CLIENT_SECRET_FILE: "/s", OIDC_CLIENT_SECRET: "hunter2" },
    files,
  });
  assert.match(line ?? "", /OIDC_CLIENT_SECRET and OIDC_CLIENT_SECRET_FILE/);
  assert.doesNotMatch(line ?? "", /hunter/);
  assert.match(
    problemsOf([upstream], { env: { OIDC_CLIENT_SECRET_FILE: "/none" } })[0] ?? "",
    /OIDC_CLIENT_SECRET_FILE: Cannot read \/none/,
  );
});

Deno.test("what is not a secret has no _FILE variable", () => {
  assert.equal(
    stdio([upstream], { env: { OIDC_CLIENT_ID_FILE: "/s" }, files: { "/s": "x" } }).login.clientId,
    undefined,
  );
});

Deno.test("REDIS_KEY_PREFIX alone distinguishes empty from unset", () => {
  const env = {
    PROXY_BASE_URL: "https://d.example",
    UPSTREAM_MCP_URL: upstream,
    OIDC_ISSUER_URL: "https://i.example",
    OIDC_CLIENT_ID: "c",
    REDIS_URL: "redis://r",
    TOKEN_SIGNING_SECRET: "9J4xq0Zt7mVb2Lk8Rw5yCn3Hs6Pd1Fg0",
  };

  assert.deepEqual(http([], { env }).store, {
    kind: "redis",
    url: "redis://r",
    keyPrefix: "mcp-auth-proxy:",
  });
  const empty = http([], { env: { ...env, REDIS_KEY_PREFIX: "" } });
  assert.deepEqual(empty.store, { kind: "redis", url: "redis://r", keyPrefix: "" });
});

Deno.test("an unknown flag is a problem that suggests the one that was meant", () => {
  assert.match(problemsOf([upstream, "--oidc-isuer-url=x"])[0] ?? "", /did you mean --oidc-issuer-url\?/);
  assert.match(problemsOf([upstream, "--completely-other"])[0] ?? "", /no such flag$/);
  assert.match(problemsOf([upstream, "-x"])[0] ?? "", /Cannot use -x/);
});

Deno.test("a flag without its value is a problem, also when another flag follows", () => {
  assert.match(problemsOf([upstream, "--oidc-client-id"])[0] ?? "", /--oidc-client-id: its value is missing/);
  assert.match(problemsOf([upstream, "--oidc-client-id", "--debug"])[0] ?? "", /its value is missing/);
});

Deno.test("switches take --x, --no-x and --x=word", () => {
  assert.equal(stdio([upstream, "--no-banner"]).banner, false);
  assert.equal(stdio([upstream, "--banner=off"]).banner, false);
  assert.equal(stdio([upstream, "--debug"]).log.level, "debug");
  assert.equal(problemsOf([upstream, "--no-banner=yes"]).length, 1);
});

Deno.test("--silent beats --debug beats LOG_LEVEL", () => {
  const env = { LOG_LEVEL: "trace", MCP_PROXY_DEBUG: "1" };

  assert.equal(stdio([upstream, "--silent", "--debug"], { env }).log.level, "error");
  assert.equal(stdio([upstream], { env }).log.level, "debug");
  assert.equal(stdio([upstream], { env: { LOG_LEVEL: "trace" } }).log.level, "trace");
  assert.equal(stdio([upstream], { env: { RUST_LOG: "info,x=debug" } }).log.level, "info");
  assert.equal(stdio([upstream], { env: { RUST_LOG: "debug", LOG_LEVEL: "warn" } }).log.level, "warn");
  assert.equal(stdio([upstream], { env: { RUST_LOG: "hyper=off" } }).log.level, "info");
});

Deno.test("all problems are said at once", () => {
  const found = problemsOf(["--transport", "http", "--prot", "1", "a", "b"], {
    env: { LOG_LEVEL: "loud", OIDC_ISSUER_URL: "nope", MCP_PROXY_PORT: "abc", METRICS_ADDR: "x" },
  });

  for (
    const name of [
      "--prot",
      '"b"',
      "LOG_LEVEL",
      "OIDC_ISSUER_URL",
      "MCP_PROXY_PORT",
      "METRICS_ADDR",
      "MCP_PROXY_BASE_URL",
      "INBOUND_AUTH_PROVIDER",
    ]
  ) assert.ok(found.some((line) => line.includes(name)), `${name}: ${Deno.inspect(found)}`);
  assert.ok(found.every((line) => line.startsWith("Cannot ") && !line.includes("\n")), Deno.inspect(found));
});

Deno.test("in stdio mode the settings of http mode are ignored, and the other way round", () => {
  assert.deepEqual(
    problemsOf([upstream], { env: { MCP_PROXY_PORT: "abc", PORT: "x", TOKEN_SIGNING_SECRET: "short" } }),
    [],
  );
  const none = ["--transport=http", "--inbound-auth-provider=none", upstream];
  assert.deepEqual(problemsOf(none, { env: { LOGIN_TIMEOUT: "abc", OIDC_REDIRECT_URL: "x" } }), []);
});

Deno.test("headers: several, split by the host, with variables filled in", () => {
  const env = { TOKEN: "t0p", MCP_PROXY_HEADERS: "" };

  assert.deepEqual(
    stdio([upstream, "--header", "Authorization: Bearer ${TOKEN}", "--header", "X-A:1"], { env }).headers,
    [["Authorization", "Bearer t0p"], ["X-A", "1"]],
  );
  assert.deepEqual(stdio(["--header", "X-A:", "two words", upstream]).headers, [["X-A", "two words"]]);
  assert.equal(stdio(["--header", "X-A:", "two words", upstream]).upstreamUrl.href, upstream);
  assert.match(
    problemsOf([upstream, "--header", "X-A:${MISSING}"])[0] ?? "",
    /X-A: the variable MISSING is not set/,
  );
  const [line] = problemsOf([upstream, "--header", "X-A:${BROKEN}"], { env: { BROKEN: "sec\r\nret" } });
  assert.match(line ?? "", /X-A: it has line breaks/);
  assert.doesNotMatch(line ?? "", /sec|ret$/);
});

Deno.test("openid comes first in the scopes of a configured issuer", () => {
  const issuer = ["--oidc-issuer-url", "https://i.example", upstream];

  assert.deepEqual(stdio(issuer).login.scopes, ["openid", "profile", "email"]);
  assert.deepEqual(stdio([...issuer, "--oidc-scopes", "a b"]).login.scopes, ["openid", "a", "b"]);
  assert.deepEqual(stdio([...issuer, "--oidc-scopes", "a openid"]).login.scopes, ["a", "openid"]);
  assert.equal(stdio([upstream]).login.scopes, undefined);
  assert.deepEqual(stdio([upstream, "--oidc-scopes", "a"]).login.scopes, ["a"]);
});

Deno.test("a command's mode wins over the settings", () => {
  const config = load([upstream], { env: { MCP_PROXY_TRANSPORT: "http" } }, { mode: "stdio" });

  assert.ok(!Array.isArray(config) && config.mode === "stdio");
});

Deno.test("folders follow the customs of the system", () => {
  assert.equal(stdio([upstream]).login.cacheDir, "/home/u/.cache/mcp-doorman");
  assert.equal(stdio([upstream], { env: { XDG_CACHE_HOME: "/c" } }).login.cacheDir, "/c/mcp-doorman");
  assert.equal(
    stdio([upstream], { env: { XDG_CACHE_HOME: "rel" } }).login.cacheDir,
    "/home/u/.cache/mcp-doorman",
  );
  assert.match(
    problemsOf([upstream], { env: { HOME: "" } })[0] ?? "",
    /home folder for the token cache: set HOME/,
  );
  const none = ["--transport=http", "--inbound-auth-provider=none", upstream];
  assert.equal(http(none).stateDir, "/home/u/.local/state/mcp-doorman");
  assert.equal(http(none, { env: { STATE_DIRECTORY: "/var/lib/a:/var/lib/b" } }).stateDir, "/var/lib/a");
});

Deno.test("no declared setting is without a help sentence, and none ends with a period", () => {
  for (const [key, setting] of Object.entries(table)) assert.match(setting.help, /^[A-Z].*[^.]$/, key);
});
