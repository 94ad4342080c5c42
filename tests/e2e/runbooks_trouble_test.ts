/**
 * The runbooks for when something fails, played on the running program: every command of every page is run as it stands there,
 * and what the page says comes of it is looked at. `systemctl` and `journalctl` are stand-ins (`tests/support/unit.ts`).
 */
import assert from "node:assert/strict";
import { newBrowser } from "../support/browser.ts";
import { startEdge } from "../support/edge.ts";
import { logIn, register, startLogin } from "../support/oauth_client.ts";
import { drained, play, refreshed, status, until } from "../support/operated.ts";
import { startRedis } from "../support/redis.ts";
import { Runbook, withSettings } from "../support/runbook.ts";
import { testWithService } from "../support/services.ts";

testWithService("redis", "Redis outage: seen, lived through without a loss, over by itself", async (path) => {
  const runbook = new Runbook("redis-outage");
  const redis = await startRedis(path);
  await using it = await play({ REDIS_URL: redis.url });
  await it.unit.restart();
  const alice = await logIn(it.mcpUrl);
  await redis.kill();
  await it.unit.line(/store_lost/);

  assert.equal(await status(it.mcpUrl, alice.tokens.access_token), 200);
  await assert.rejects(refreshed(alice), /503 temporarily_unavailable/);
  const said = await it.run(runbook.next("readyz"));
  assert.match(said, /"status":"store_unavailable"/);
  assert.match(said, /store_lost/);
  const ping = runbook.next("redis-cli");
  assert.notEqual((await it.unit.sh(ping, { env: { REDIS_URL: redis.url } })).code, 0);

  await using _again = await startRedis(path, { port: redis.port });
  await it.unit.line(/store_recovered/);
  assert.equal(await it.run(ping, { env: { REDIS_URL: redis.url } }), "PONG\n");
  await until(async () => (await fetch(`${it.unit.admin}/readyz`).then(drained)).ok);
  const verified = await it.run(runbook.next("store_up"));
  assert.match(verified, /"status":"ok"/);
  assert.match(verified, /^mcp_doorman_store_up 1$/m);
  assert.match(verified, /replay_store_unavailable"\} [1-9]/);
  await logIn(it.mcpUrl);
  runbook.finished();
});

testWithService(
  "curl",
  "IdP outage: named by log, readiness and doctor; nothing is lost; a new secret is taken",
  async () => {
    const runbook = new Runbook("idp-outage");
    await using it = await play();
    await it.unit.restart();
    const alice = await logIn(it.mcpUrl);
    await it.idp.down();
    await it.unit.restart();

    assert.equal(await status(it.mcpUrl, alice.tokens.access_token), 200);
    const renewed = await refreshed(alice);
    await assert.rejects(logIn(it.mcpUrl, { user: "bob" }), /not available|503|answer/i);
    const said = await it.run(runbook.next("idp_"));
    assert.match(said, /"status":"idp_not_reached"/);
    assert.match(said, /"idp_discovery_failed".*"cause":"[^"]{10}/);
    const doctor = withSettings + runbook.next("doctor");
    const sick = await it.unit.sh(doctor);
    assert.equal(sick.code, 1, sick.stderr);
    assert.match(sick.stdout, /The IdP's metadata cannot be had/);

    await it.idp.up();
    await it.unit.line(/"idp_reached"/);
    await it.idp.addClient({
      client_id: it.idp.clientId,
      client_secret: "another-secret-of-the-client",
      redirect_uris: [`${it.unit.publicUrl}/auth/callback`],
    });
    assert.match((await it.unit.sh(doctor)).stdout, /secret/i);
    await it.run(runbook.next("cat >"), { stdin: "another-secret-of-the-client" });
    await it.run(doctor);
    await logIn(it.mcpUrl, { user: "bob" });
    assert.equal(await status(it.mcpUrl, renewed.access_token), 200);
    const counted = await it.run(runbook.next("idp_(reached"));
    assert.match(counted, /^mcp_doorman_idp_reached 1$/m);
    assert.match(counted, /call="exchange",outcome="ok"\} 1$/m);
    runbook.finished();
  },
);

testWithService("jq", "consent denials: grouped by client, then answered by settings", async () => {
  const runbook = new Runbook("consent-denials");
  await using it = await play();
  await it.unit.restart();
  const { found, client } = await logIn(it.mcpUrl);
  const stranger = await register(found.server, { client_name: "Free Gifts" });
  for (let count = 0; count < 3; count++) {
    const login = await startLogin(found, stranger);
    await newBrowser({ user: "alice", consent: "deny" }).authorize(login.url, stranger.redirectUri);
  }

  const rows = (await it.run(runbook.next("consent_denied"))).trim().split("\n").map((row) => row.trim());
  assert.match(rows[0] ?? "", /^3 consent_denied\tFree Gifts\t\S+$/);
  assert.match(rows[1] ?? "", /^1 consent_approved\tscripted client\t\S+$/);
  const counted = await it.unit.sh(`curl -fsS "$ADMIN/metrics"`);
  assert.match(counted.stdout, /consent_decisions_total\{decision="denied"\} 3/);

  await it.run(runbook.next("REDIRECT_HOSTS"));
  await assert.rejects(register(found.server, { redirect_uris: ["https://gifts.example/cb"] }));
  await it.run(runbook.next("MCP_PROXY_NAME"));
  const page = await newBrowser({ user: "alice", consent: "stop" }).open(
    (await startLogin(found, client)).url,
  );
  assert.match(page.text, /Documents of Example Inc\./);
  assert.match(await it.run(runbook.next("authorize_initiated")), /initiated_total\{path="consent"\} 1$/m);
  runbook.finished();
});

testWithService(
  "curl",
  "a client that never calls: the edge's refusal is found by curl and by the doctor",
  async () => {
    const runbook = new Runbook("token-unused");
    let blocks = true;
    await using edge = startEdge((request, pass) =>
      blocks && request.headers.get("user-agent") === "Claude-User"
        ? new Response(null, { status: 403 })
        : pass()
    );
    await using it = await play({ MCP_PROXY_BASE_URL: edge.url });
    edge.inner = `http://127.0.0.1:${it.unit.port}`;
    await it.unit.restart();
    const { tokens } = await logIn(it.mcpUrl);

    const steps = await it.run(runbook.next("token_unused"));
    assert.match(steps, /^mcp_doorman_token_unused_total\{client="scripted client"\} 0$/m);
    assert.match(steps, /^mcp_doorman_login_steps_total\{step="token",client="scripted client"\} 1$/m);
    const compare = runbook.next("Claude-User");
    assert.equal(await it.run(compare), "403\n401\n");
    const doctor = runbook.next("doctor");
    const sick = await it.unit.sh(doctor);
    assert.equal(sick.code, 1);
    assert.match(sick.stdout, /Claude-User.*refuses this user agent/);

    blocks = false;
    assert.equal(await it.run(compare), "401\n401\n");
    await it.run(doctor);
    assert.equal(await status(it.mcpUrl, tokens.access_token), 200);
    await until(() =>
      Promise.resolve(it.unit.journal.some((line) => /"status":200.*"route":"mcp"/.test(line)))
    );
    assert.match(await it.run(runbook.next('"route":"mcp"')), /"status":200/);
    runbook.finished();
  },
);
