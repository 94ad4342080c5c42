/**
 * The runbooks of docs/runbooks/, played on the running program: every command of every page is run as it stands there,
 * and what the page says comes of it is looked at. `systemctl` and `journalctl` are stand-ins (`tests/support/unit.ts`).
 */
import assert from "node:assert/strict";
import { newBrowser } from "../support/browser.ts";
import { codeOf, logIn, redeem, startLogin } from "../support/oauth_client.ts";
import { newSecret, play, refreshed, status, until } from "../support/operated.ts";
import { Runbook, runbookNames, variables, withSettings } from "../support/runbook.ts";
import { testWithService } from "../support/services.ts";

Deno.test("every runbook is played here", async () => {
  const files = ["runbooks_test.ts", "runbooks_trouble_test.ts"];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file, import.meta.url))));
  const played = [
    "README",
    ...[...texts.join("\n").matchAll(/new Runbook\("([\w-]+)"\)/g)].map(([, name]) => name),
  ];

  assert.deepEqual(runbookNames(), [...new Set(played)].sort());
});

Deno.test("the names in the commands are those of the unit and of the defaults", async () => {
  const read = (file: string) =>
    Deno.readTextFile(new URL(`../../scripts/deploy/systemd/${file}`, import.meta.url));
  const [unit, env] = [await read("mcp-doorman.service"), await read("mcp-doorman.env")];
  const value = (name: string) => new RegExp(`^${name}=(\\S+)`, "m").exec(variables)?.[1] ?? "-";

  assert.ok(unit.includes(`EnvironmentFile=${value("CONF")}/mcp-doorman.env\n`));
  assert.ok(unit.includes(`ExecStart=${value("BIN")}/mcp-doorman `));
  assert.ok(env.includes(`MCP_PROXY_BASE_URL=${value("PUBLIC")}\n`));
  assert.equal(value("ADMIN"), "http://127.0.0.1:9090");
  for (const [, name, file] of withSettings.matchAll(/^export (\w+)="\$CONF\/(\S+)"$/gm)) {
    assert.ok(unit.includes(`Environment=${name}=%d/${file}\n`), name);
  }
});

testWithService(
  "curl",
  "key rotation: nobody notices, then the old key is worthless; in an emergency at once",
  async () => {
    const runbook = new Runbook("key-rotation");
    await using it = await play();
    await it.unit.restart();
    const before = await logIn(it.mcpUrl);
    const login = await startLogin(before.found, before.client);

    assert.match(await it.run(runbook.next("secrets-previous")), /rotation_in_progress/);
    assert.equal(await status(it.mcpUrl, before.tokens.access_token), 200);
    const renewed = await refreshed(before);
    const end = await before.browser.authorize(login.url, before.client.redirectUri);
    await redeem(before.found, before.client, login, codeOf(end, login));
    const fresh = await logIn(it.mcpUrl, { user: "bob" });

    await it.run(runbook.next(": >"));
    assert.equal(await status(it.mcpUrl, before.tokens.access_token), 401);
    assert.equal(await status(it.mcpUrl, renewed.access_token), 200);
    assert.equal(await status(it.mcpUrl, fresh.tokens.access_token), 200);

    await it.run(runbook.next("mcp-doorman secret"));
    assert.equal(await status(it.mcpUrl, fresh.tokens.access_token), 401);
    await assert.rejects(refreshed(fresh), /invalid_client/);
    const again = await logIn(it.mcpUrl);
    assert.equal(await status(it.mcpUrl, again.tokens.access_token), 200);

    const counted = await it.run(runbook.next("/metrics"));
    assert.match(counted, /^mcp_auth_access_denied_total\{reason="invalid_token"\} 1$/m);
    assert.match(counted, /^mcp_auth_tokens_issued_total\{grant_type="authorization_code"\} 1$/m);
    runbook.finished();
  },
);

testWithService("curl", "bulk revocation: one user, one client, everybody; each logs in again", async () => {
  const runbook = new Runbook("revocation");
  await using it = await play();
  await it.unit.restart();
  const [alice, bob] = [await logIn(it.mcpUrl), await logIn(it.mcpUrl, { user: "bob" })];
  assert.equal(await status(it.mcpUrl, alice.tokens.access_token), 200);

  const said = await it.run(withSettings + runbook.next("--subject"), { env: { SUBJECT: "alice" } });
  assert.match(said, /subject alice/);
  await until(async () => await status(it.mcpUrl, alice.tokens.access_token) === 401);
  await assert.rejects(refreshed(alice), /invalid_grant/);
  assert.equal(await status(it.mcpUrl, bob.tokens.access_token), 200);
  assert.equal(await status(it.mcpUrl, (await logIn(it.mcpUrl)).tokens.access_token), 200);

  const line = it.unit.journal.findLast((text) => /"token_issued".*"bob"/.test(text));
  await it.run(withSettings + runbook.next("--client"), { env: { CLIENT: JSON.parse(line ?? "{}").client } });
  await until(async () => await status(it.mcpUrl, bob.tokens.access_token) === 401);

  const old = await logIn(it.mcpUrl, { user: "bob" });
  // The moment has whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await it.run(runbook.next("REVOKE_BEFORE=$(date"));
  assert.equal(await status(it.mcpUrl, old.tokens.access_token), 401);
  await assert.rejects(refreshed(old), /invalid_grant/);
  assert.equal(await status(it.mcpUrl, (await logIn(it.mcpUrl)).tokens.access_token), 200);
  assert.match(await it.run(runbook.next("revoked")), /reason="token_revoked_iat_cutoff"\} 1$/m);

  await it.run(runbook.next("sed"));
  assert.doesNotMatch(await Deno.readTextFile(`${it.unit.conf}/mcp-doorman.env`), /REVOKE_BEFORE/);
  assert.equal(await status(it.mcpUrl, old.tokens.access_token), 200);
  runbook.finished();
});

testWithService(
  "curl",
  "lost registrations: counted, said on the page, and back with the old secret",
  async () => {
    const runbook = new Runbook("client-registrations");
    await using it = await play();
    await it.unit.restart();
    const { found, client } = await logIn(it.mcpUrl);
    const login = await startLogin(found, client);
    const backup = await Deno.makeTempDir();
    try {
      await Deno.copyFile(`${it.unit.conf}/token-signing-secret`, `${backup}/token-signing-secret`);
      await Deno.writeTextFile(`${it.unit.conf}/token-signing-secret`, await newSecret());
      await it.unit.restart();
      const lost = await newBrowser({ user: "alice" }).open(login.url);
      assert.ok(lost.status >= 400 && lost.status < 500);
      assert.match(lost.text, /not known here/);
      assert.match(await it.run(runbook.next("/metrics")), /client_\w+"\} 1$/m);

      await it.run(runbook.next("BACKUP"), { env: { BACKUP: backup } });
      const end = await newBrowser({ user: "alice" }).authorize(login.url, client.redirectUri);
      await redeem(found, client, login, codeOf(end, login));
    } finally {
      await Deno.remove(backup, { recursive: true });
    }
    runbook.finished();
  },
);

testWithService(
  "curl",
  "upgrade: checked, replaced, restarted, and back; the same tokens go on",
  async () => {
    const runbook = new Runbook("upgrade");
    await using it = await play();
    await it.unit.restart();
    const { tokens } = await logIn(it.mcpUrl);
    const [before, release] = [
      await Deno.readTextFile(`${it.unit.bin}/mcp-doorman`),
      `${it.unit.work}/release`,
    ];
    await Deno.mkdir(release);
    await Deno.writeTextFile(`${release}/mcp-doorman`, `${before}# the new one\n`, { mode: 0o755 });
    const pack = `tar -czf mcp-doorman-linux-x64.tar.gz -C release mcp-doorman
    sha256sum mcp-doorman-linux-x64.tar.gz > SHA256SUMS
    echo "${"0".repeat(64)}  mcp-doorman-linux-arm64.tar.gz" >> SHA256SUMS`;
    await it.run(pack);

    assert.match(await it.run(withSettings + runbook.next("--check-config")), /linux-x64\.tar\.gz: OK/);
    await it.run(runbook.next("install"));
    assert.match(await Deno.readTextFile(`${it.unit.bin}/mcp-doorman`), /the new one/);
    assert.equal(await status(it.mcpUrl, tokens.access_token), 200);

    await it.run(runbook.next("mcp-doorman.before"));
    assert.equal(await Deno.readTextFile(`${it.unit.bin}/mcp-doorman`), before);
    assert.equal(await status(it.mcpUrl, tokens.access_token), 200);
    runbook.elsewhere("OLD_PID", "tests/e2e/handover_test.ts");
    const said = await it.run(runbook.next("--version"));
    assert.match(said, /^mcp-doorman \d+\.\d+\.\d+/);
    assert.match(said, /"msg":"starting","version":"\d/);
    runbook.finished();
  },
);
