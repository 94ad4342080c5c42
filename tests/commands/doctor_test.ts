/** The doctor as users start it, before healthy servers and before each thing that breaks in practice. */
import assert from "node:assert/strict";
import { startCognito } from "../fakes/cognito.ts";
import { startIdp, type TestIdp } from "../fakes/idp.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { type EdgeRule, startEdge } from "../support/edge.ts";
import { runDoorman, startDoorman } from "../support/process.ts";
import { browserFor } from "../support/stdio_client.ts";

interface Outcome {
  readonly code: number;
  readonly report: {
    ok: boolean;
    findings: { level: string; check: string; message: string; hint?: string }[];
    clients: { client: string; ok: boolean; because: string[] }[];
  };
}

async function doctor(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await runDoorman(["doctor", "--json", ...args], { env });
  const text = Array.isArray(stdout) ? stdout.join("\n") : String(stdout);
  assert.match(text, /^\{/, String(stderr));
  return { code, report: JSON.parse(text) };
}

const failures = ({ report }: Outcome) =>
  report.findings.filter(({ level }) => level === "fail").map(({ check }) => check);
const failing = ({ report }: Outcome) =>
  Object.fromEntries(
    report.clients.filter(({ ok }) => !ok).map(({ client, because }) => [client, because.join("; ")]),
  );

/** http mode behind an edge at the public URL, in front of an upstream and with a test IdP. */
async function behind(rule: EdgeRule, options: { idp?: TestIdp; redirect?: boolean } = {}) {
  const stack = new AsyncDisposableStack();
  const idp = options.idp ?? stack.use(await startIdp());
  const upstream = stack.use(startUpstream());
  const edge = stack.use(startEdge(rule));
  const baseUrl = edge.url;
  if (options.redirect !== false) await idp.addRedirect(`${baseUrl}/auth/callback`);
  const settings = [
    ...["--transport", "http", "--proxy-base-url", baseUrl, "--inbound-auth-provider", "oidc"],
    ...[
      "--oidc-issuer-url",
      idp.issuer,
      "--oidc-client-id",
      idp.clientId,
      "--oidc-client-secret",
      idp.clientSecret,
    ],
    ...["--outbound-auth", "none", upstream.url],
  ];
  const process = stack.use(
    startDoorman(["--host", "127.0.0.1", "--port", "0", ...settings], {
      env: { METRICS_ADDR: "127.0.0.1:0", LOG_FORMAT: "json" },
    }),
  );
  const line = await process.line("stderr", /"listening"/);
  edge.inner = `http://127.0.0.1:${JSON.parse(line).port}`;
  return {
    idp,
    baseUrl,
    mcpUrl: `${baseUrl}/mcp`,
    settings,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const open: EdgeRule = (_request, pass) => pass();

Deno.test("doctor finds nothing wrong with a healthy server, from outside and with its settings", async () => {
  await using site = await behind(open);

  const outside = await doctor([site.mcpUrl]);
  const inside = await doctor(site.settings);

  assert.deepEqual([failures(outside), failing(outside), outside.code], [[], {}, 0]);
  assert.equal(outside.report.clients.length, 9);
  assert.deepEqual([failures(inside), inside.code], [[], 0]);
  for (const check of ["issuer", "pkce", "client", "redirect_uri", "upstream", "reach"]) {
    assert.ok(inside.report.findings.some((found) => found.check === check && found.level === "ok"), check);
  }
});

Deno.test("doctor names the user agent that an edge refuses, and the clients that need it", async () => {
  await using site = await behind((request, pass) =>
    request.headers.get("user-agent") === "Claude-User" ? new Response("blocked", { status: 403 }) : pass()
  );

  const outcome = await doctor([site.mcpUrl]);

  assert.equal(outcome.code, 1);
  assert.deepEqual(Object.keys(failing(outcome)), ["claude.ai and Claude Desktop"]);
  assert.match(
    failing(outcome)["claude.ai and Claude Desktop"] ?? "",
    /user agent "Claude-User".*403.*refuses this user agent/,
  );
});

Deno.test("doctor names wrong resource metadata", async () => {
  await using site = await behind(async (request, pass) => {
    const response = await pass();
    if (request.method !== "GET" || !request.url.includes("oauth-protected-resource")) return response;
    return Response.json({ ...await response.json(), resource: "https://internal.example/mcp" });
  });

  const outcome = await doctor([site.mcpUrl]);

  assert.equal(outcome.code, 1);
  assert.equal(Object.keys(failing(outcome)).length, 9);
  assert.match(
    failing(outcome)["VS Code"] ?? "",
    /is for https:\/\/internal\.example\/mcp, not for http:\/\/localhost/,
  );
});

Deno.test("doctor tells the clients that want the very address from those that take the origin", async () => {
  await using site = await behind(async (request, pass) => {
    const response = await pass();
    if (request.method !== "GET" || !request.url.includes("oauth-protected-resource")) return response;
    const { resource, ...rest } = await response.json();
    return Response.json({ ...rest, resource: new URL(resource).origin }, { headers: response.headers });
  });

  const outcome = await doctor([site.mcpUrl]);

  assert.deepEqual(Object.keys(failing(outcome)), ["VS Code", "Gemini CLI"]);
});

Deno.test("doctor names missing CORS, which only clients in a browser need", async () => {
  await using site = await behind(async (_request, pass) => {
    const response = await pass();
    const headers = new Headers(response.headers);
    for (const name of [...headers.keys()]) if (name.startsWith("access-control-")) headers.delete(name);
    return new Response(response.body, { status: response.status, headers });
  });

  const outcome = await doctor([site.mcpUrl]);

  assert.deepEqual(Object.keys(failing(outcome)), ["MCP Inspector (in the browser)"]);
  assert.match(
    failing(outcome)["MCP Inspector (in the browser)"] ?? "",
    /CORS: POST \/mcp does not allow other origins/,
  );
});

Deno.test("doctor names a redirect URI that the IdP does not know, and the one to register", async () => {
  await using site = await behind(open, { redirect: false });

  const outcome = await doctor(site.settings);

  assert.deepEqual(failures(outcome), ["redirect_uri"]);
  const found = outcome.report.findings.find(({ level }) => level === "fail");
  assert.match(found?.hint ?? "", new RegExp(`Register exactly ${site.baseUrl}/auth/callback`));
  assert.equal(outcome.code, 1);
});

Deno.test("doctor names a wrong secret and an IdP without PKCE in its metadata", async () => {
  await using idp = await startIdp({
    discovery: (document) => {
      delete document.code_challenge_methods_supported;
    },
  });
  await using site = await behind(open, { idp });
  const changed = (flag: string, value: string) => {
    const args = [...site.settings];
    args[args.indexOf(flag) + 1] = value;
    return args;
  };

  const secret = await doctor(changed("--oidc-client-secret", "wrong"));

  assert.deepEqual(failures(secret), ["client"]);
  assert.match(
    secret.report.findings.find(({ check }) => check === "client")?.hint ?? "",
    /OIDC_CLIENT_SECRET/,
  );
  assert.ok(secret.report.findings.some(({ check, level }) => check === "pkce" && level === "warn"));
  assert.doesNotMatch(JSON.stringify(secret.report), /doorman-secret|wrong/);
});

Deno.test("doctor names a scope that the IdP refuses, and what Cognito has to be set up with", async () => {
  const client = { clientId: "app", clientSecret: "s" };
  await using cognito = await startCognito({ ...client, userPoolId: "p" });
  cognito.redirectUris.push("http://localhost:1234/auth/callback");
  await using upstream = startUpstream();

  const outcome = await doctor([
    ...[
      "--transport",
      "http",
      "--proxy-base-url",
      "http://localhost:1234",
      "--inbound-auth-provider",
      "aws-cognito",
    ],
    ...[
      "--cognito-user-pool-id",
      "p",
      "--cognito-aws-region",
      "eu-central-1",
      "--oidc-issuer-url",
      cognito.issuer,
    ],
    ...[
      "--oidc-client-id",
      "app",
      "--oidc-client-secret",
      "s",
      "--oidc-scopes",
      "openid phone",
      upstream.url,
    ],
  ]);

  assert.deepEqual(failures(outcome), ["scopes", "reach"]);
  const advice = outcome.report.findings.filter(({ check }) => check === "setup").map(({ message }) =>
    message
  ).join("\n");
  assert.match(advice, /redirect URI http:\/\/localhost:1234\/auth\/callback/);
  assert.match(advice, /must have a secret/);
});

Deno.test("doctor says of a remote IdP what keeps MCP clients from using it", async () => {
  await using idp = await startIdp({
    registration: false,
    discovery: (document) => {
      delete document.code_challenge_methods_supported;
    },
  });
  await using upstream = startUpstream();

  const outcome = await doctor([
    ...[
      "--transport",
      "http",
      "--proxy-base-url",
      "http://localhost:1234",
      "--inbound-auth-provider",
      "keycloak",
    ],
    ...["--oidc-issuer-url", idp.issuer, upstream.url],
  ], { AUDIENCE: "" });

  assert.ok(failures(outcome).includes("no_pkce"));
  assert.ok(failures(outcome).includes("no_registration"));
  assert.ok(failures(outcome).includes("reach"));
  assert.equal(outcome.code, 1);
});

Deno.test("doctor names an issuer and an upstream that are not there, and a path without an MCP server", async () => {
  await using idp = await startIdp();
  await idp.down();
  await using upstream = startUpstream();

  const nobody = await doctor([
    ...["--oidc-issuer-url", idp.issuer, "--oidc-client-id", "c", new URL("/nothing", upstream.url).href],
  ]);
  const wrongPath = await doctor([new URL("/nothing", upstream.url).href]);

  assert.deepEqual(failures(nobody), ["issuer", "upstream"]);
  assert.deepEqual(failures(wrongPath), ["reach"]);
  assert.match(wrongPath.report.findings[0]?.hint ?? "", /usually \/mcp/);
  await idp.up();
});

Deno.test("doctor --login logs in with the SDK's client and counts the tools", async () => {
  await using site = await behind(open);
  const outcome = await doctor(["--login", site.mcpUrl], { BROWSER: browserFor("alice") });

  assert.deepEqual(failures(outcome), []);
  assert.match(
    outcome.report.findings.find(({ check }) => check === "tools")?.message ?? "",
    /has \d+ tools/,
  );
});

Deno.test("doctor writes for people by default: one line per finding, what to do below it", async () => {
  await using upstream = startUpstream();
  const { code, stdout } = await runDoorman(["doctor", upstream.url]);
  const text = Array.isArray(stdout) ? stdout.join("\n") : String(stdout);

  assert.equal(code, 0);
  assert.match(text, /^ok {5}.*answers/m);
  assert.match(text, /answers without a login/);
  assert.match(text, /Nothing is wrong\./);
});

Deno.test("doctor looks at the callback port of stdio mode, and at a way to become a client", async () => {
  await using idp = await startIdp({ registration: false });
  await using upstream = startUpstream();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const redirect = `http://127.0.0.1:${taken.addr.port}/callback`;
  await idp.addRedirect(redirect);
  const issuer = ["--oidc-issuer-url", idp.issuer];
  const client = ["--oidc-client-id", idp.clientId, "--oidc-client-secret", idp.clientSecret];

  const inUse = await doctor([...issuer, ...client, "--oidc-redirect-url", redirect, upstream.url]);
  taken.close();
  const free = await doctor([...issuer, ...client, "--oidc-redirect-url", redirect, upstream.url]);
  const nobody = await doctor([...issuer, upstream.url]);

  assert.deepEqual(failures(inUse), ["callback_port"]);
  assert.deepEqual([failures(free), free.code], [[], 0]);
  assert.deepEqual(failures(nobody), ["client"]);
});

Deno.test("doctor plays Claude with its metadata document, and names half an implementation of those", async () => {
  await using site = await behind(async (request, pass) => {
    const response = await pass();
    if (request.method !== "GET" || !request.url.includes("oauth-authorization-server")) return response;
    return Response.json({
      ...await response.json(),
      token_endpoint_auth_methods_supported: ["client_secret_post"],
    });
  });

  const outcome = await doctor([site.mcpUrl]);

  assert.deepEqual(Object.keys(failing(outcome)), ["claude.ai and Claude Desktop", "Claude Code"]);
  assert.match(failing(outcome)["Claude Code"] ?? "", /does not list the method none/);
});
