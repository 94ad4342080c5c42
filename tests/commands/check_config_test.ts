import assert from "node:assert/strict";
import { runDoorman } from "../support/process.ts";

const babs = {
  PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://u.example/mcp",
  OIDC_ISSUER_URL: "https://i.example",
  OIDC_CLIENT_ID: "c",
};

Deno.test("--check-config says what a configuration comes to, with its notes", async () => {
  const env = {
    ...babs,
    TRUST_PROXY_HEADERS: "true",
    PROD_MODE: "false",
    OIDC_CLIENT_SECRET: "canary-secret",
  };
  const { code, stdout, stderr } = await runDoorman(["--check-config"], { env });

  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /http mode \(babs defaults\) on 0\.0\.0\.0:8080, clients come to https:\/\/d\.example\/mcp/,
  );
  assert.match(stdout, /Note on TRUST_PROXY_HEADERS: /);
  assert.doesNotMatch(stdout + stderr, /canary/);
});

Deno.test("--check-config names every file that cannot be read", async () => {
  const env = { ...babs, TLS_CERT_FILE: "/no/cert.pem", TLS_KEY_FILE: "/no/key.pem", CA_FILE: "/no/ca.pem" };
  const { code, stderr } = await runDoorman(["--check-config"], { env });

  assert.equal(code, 2);
  for (const name of ["cert", "key", "ca"]) {
    assert.match(stderr, new RegExp(`Cannot read /no/${name}\\.pem: `));
  }
});

Deno.test("--check-config only notes what the machine has set for every program", async () => {
  const { code, stdout } = await runDoorman(["--check-config"], {
    env: { ...babs, NODE_EXTRA_CA_CERTS: "/no/ca.pem" },
  });

  assert.equal(code, 0);
  assert.match(stdout, /Note: Cannot read \/no\/ca\.pem/);
});
