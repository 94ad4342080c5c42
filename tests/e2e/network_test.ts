/** Corporate networks: each way to name a certificate authority, a proxy or an exception, on the program as it is started. */
import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { baseEnv, doormanCommand, runDoorman, startDoorman } from "../support/process.ts";
import { startProxy } from "../support/proxy.ts";
import { serveTls, startCertificateServer, tlsFiles } from "../support/tls.ts";

interface Found {
  readonly level: string;
  readonly message: string;
  readonly hint?: string;
}

/** What the program finds when it calls this address. */
async function reach(
  url: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Found> {
  const { stdout, stderr } = await runDoorman(["doctor", "--json", ...args, url], { env });
  const report = JSON.parse(
    Array.isArray(stdout) ? stdout.join("\n") : String(stdout) || assert.fail(String(stderr)),
  );
  return report.findings.find(({ check }: { check: string }) => check === "reach") ??
    assert.fail(JSON.stringify(report));
}

const answer = () => Response.json({ jsonrpc: "2.0", id: 1, result: {} });

Deno.test("an unknown certificate authority is named, with the ways to have it trusted", async () => {
  await using server = serveTls(answer);

  const found = await reach(`https://localhost:${server.port}/mcp`);

  assert.equal(found.level, "fail");
  assert.match(found.message, /unknown certificate authority/);
  assert.match(found.hint ?? "", /--ca-file.*SSL_CERT_FILE.*NODE_EXTRA_CA_CERTS.*system's store/);
});

const folder = tlsFiles.ca.replace(/\/[^/]+$/, "");
const authorities: [string, Record<string, string>, readonly string[]][] = [
  ["--ca-file", {}, ["--ca-file", tlsFiles.ca]],
  ["CA_FILE", { CA_FILE: tlsFiles.ca }, []],
  ["DENO_CERT", { DENO_CERT: tlsFiles.ca }, []],
  ["NODE_EXTRA_CA_CERTS", { NODE_EXTRA_CA_CERTS: tlsFiles.ca }, []],
  ["SSL_CERT_FILE", { SSL_CERT_FILE: tlsFiles.ca }, []],
  ["SSL_CERT_DIR", { SSL_CERT_DIR: folder }, []],
];
for (const [name, env, args] of authorities) {
  Deno.test(`${name} has a certificate authority trusted`, async () => {
    await using server = serveTls(answer);

    const found = await reach(`https://localhost:${server.port}/mcp`, env, args);

    assert.equal(found.level, "ok", found.message);
  });
}

Deno.test("a CA file that is missing is one line that names it, and an environment's is passed over", async () => {
  await using server = serveTls(answer);
  const url = `https://localhost:${server.port}/mcp`;

  const setting = await runDoorman(["doctor", "--ca-file", "/nowhere/ca.pem", url]);
  const variable = await reach(url, { NODE_EXTRA_CA_CERTS: "/nowhere/ca.pem", SSL_CERT_FILE: tlsFiles.ca });

  assert.notEqual(setting.code, 0);
  assert.match(String(setting.stderr) + String(setting.stdout), /\/nowhere\/ca\.pem/);
  assert.equal(variable.level, "ok", variable.message);
});

const proxyVariables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "MCP_PROXY_HTTP_PROXY"];
for (const name of proxyVariables) {
  Deno.test(`${name} leads to an https server through the proxy, with its user and password`, async () => {
    await using server = serveTls(answer);
    await using proxy = startProxy({
      routes: { "a.doorman.test:443": server.port },
      credentials: "joe:s3cret",
    });
    const url = proxy.url.replace("//", "//joe:s3cret@");

    const found = await reach("https://a.doorman.test/mcp", { [name]: url, SSL_CERT_FILE: tlsFiles.ca });

    assert.equal(found.level, "ok", found.message);
    assert.deepEqual([...new Set(proxy.asked)], ["CONNECT a.doorman.test:443"]);
  });
}

for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "MCP_PROXY_HTTP_PROXY"]) {
  Deno.test(`${name} leads to an http server through the proxy, but never to this machine`, async () => {
    await using upstream = startUpstream();
    const port = Number(new URL(upstream.url).port);
    await using proxy = startProxy({ routes: { "b.doorman.test:80": port } });

    const through = await reach(`http://b.doorman.test${new URL(upstream.url).pathname}`, {
      [name]: proxy.url,
    });
    const asked = proxy.asked.length;
    const local = await reach(upstream.url, { [name]: proxy.url });

    assert.doesNotMatch(through.message, /cannot be resolved|proxy/);
    assert.ok(asked > 0);
    assert.equal(local.level, "ok", local.message);
    assert.equal(proxy.asked.length, asked);
  });
}

const exceptions: [string, boolean][] = [
  ["*", true],
  ["a.doorman.test", true],
  [".doorman.test", true],
  ["other.example, doorman.test", true],
  ["other.example", false],
  ["man.test", false],
];
for (const name of ["HTTPS_PROXY", "MCP_PROXY_HTTP_PROXY"]) {
  for (const [exception, direct] of exceptions) {
    Deno.test(`NO_PROXY="${exception}" with ${name} goes ${direct ? "around" : "through"} the proxy`, async () => {
      await using server = serveTls(answer);
      await using proxy = startProxy({ routes: { "a.doorman.test:443": server.port } });
      const env = { [name]: proxy.url, NO_PROXY: exception, SSL_CERT_FILE: tlsFiles.ca };

      const found = await reach("https://a.doorman.test/mcp", env);

      assert.equal(proxy.asked.length === 0, direct, proxy.asked.join());
      // The name exists for the proxy only.
      if (direct) assert.match(found.message, /cannot be resolved/);
      else assert.equal(found.level, "ok", found.message);
    });
  }
}

Deno.test("a proxy that wants a password is named", async () => {
  await using proxy = startProxy({ routes: {}, credentials: "joe:s3cret" });

  const found = await reach("https://a.doorman.test/mcp", { HTTPS_PROXY: proxy.url });

  assert.match(found.message, /the proxy refused/);
});

Deno.test("a client certificate is shown to the server that asks for one", async () => {
  await using server = await startCertificateServer((_request, response) => response.end("{}"));
  const url = `${server.origin}/mcp`;
  const env = {
    CA_FILE: tlsFiles.ca,
    CLIENT_CERT_FILE: tlsFiles.clientCert,
    CLIENT_KEY_FILE: tlsFiles.clientKey,
  };
  assert.equal((await reach(url, env)).level, "ok");
  assert.equal((await reach(url, { CA_FILE: tlsFiles.ca })).level, "fail");
});

Deno.test("stdio mode carries a call through the proxy to an upstream under a private authority", async () => {
  await using upstream = serveTls(async (request) => {
    const { id } = await request.json();
    return Response.json({ jsonrpc: "2.0", id, result: { through: "the proxy" } });
  });
  await using proxy = startProxy({ routes: { "mcp.doorman.test:443": upstream.port } });
  await using process = startDoorman(["https://mcp.doorman.test/mcp"], {
    env: { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: tlsFiles.ca },
  });

  await process.write(JSON.stringify({ jsonrpc: "2.0", id: 7, method: "ping" }));

  assert.deepEqual(JSON.parse(await process.line("stdout", /"id":7/)).result, { through: "the proxy" });
  assert.ok(proxy.asked.includes("CONNECT mcp.doorman.test:443"));
});

const bundle = "/etc/ssl/certs/ca-certificates.crt";

/** Whether this user may give a process a file of its own in place of the system's. */
function canMount(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    Deno.statSync(bundle);
    return new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "an authority in the system's store is trusted without any setting",
  ignore: !canMount(),
  async fn() {
    await using server = serveTls(answer);
    const url = `https://localhost:${server.port}/mcp`;
    const home = await Deno.makeTempDir();
    const { command, args } = doormanCommand();
    try {
      const store = `${home}/store.crt`;
      await Deno.writeTextFile(store, await Deno.readTextFile(bundle) + await Deno.readTextFile(tlsFiles.ca));
      const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
      const { stdout, stderr } = await new Deno.Command("unshare", {
        args: ["-m", "sh", "-c", script, store, bundle, command, ...args, "doctor", "--json", url],
        clearEnv: true,
        env: baseEnv(home),
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.match(text, /"check": "reach"/, new TextDecoder().decode(stderr));
      const { findings } = JSON.parse(text);
      assert.equal(findings.find(({ check }: { check: string }) => check === "reach").level, "ok", text);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});
