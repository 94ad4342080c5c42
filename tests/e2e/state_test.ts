/** What http mode keeps in its state folder, and who may use it. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { call, logIn } from "../support/oauth_client.ts";

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

Deno.test("a second process on the same state folder is refused with one line that names Redis, and harms nothing", async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(() => Response.json({}));
  const state = await Deno.makeTempDir();
  const options = { idp, upstreamUrl: upstream.url, env: { STATE_DIRECTORY: state } };
  try {
    await using first = await startHttpMode(options);
    const { tokens } = await logIn(first.mcpUrl);
    await using second = await startHttpMode({ ...options, dontWait: true });

    assert.equal(await second.process.exited, 1);
    const said = second.process.stderr.filter((line) => line.includes("state folder"));
    assert.equal(said.length, 1, second.process.stderr.join("\n"));
    assert.ok(second.process.stderr.some((line) => line.includes("REDIS_URL")));
    const response = await call(first.mcpUrl, tokens.access_token, ping);
    await response.body?.cancel();
    assert.equal(response.status, 200);
  } finally {
    await Deno.remove(state, { recursive: true });
  }
});

Deno.test("the signing key is made once, for its owner alone, and outlives restarts and a lost store", async () => {
  await using idp = await startIdp();
  await using upstream = startHandler(() => Response.json({}));
  const state = await Deno.makeTempDir();
  try {
    const options = { idp, upstreamUrl: upstream.url, env: { STATE_DIRECTORY: state } };
    const first = await startHttpMode(options);
    const { tokens } = await logIn(first.mcpUrl);
    const told = first.process.stderr.filter((line) => line.includes("signing_key_created"));
    await first.stop();
    await first[Symbol.asyncDispose]();
    assert.equal(told.length, 1);

    const names: string[] = [];
    for await (const { name } of Deno.readDir(state)) {
      names.push(name);
      if (Deno.build.os !== "windows") {
        assert.equal(((await Deno.stat(`${state}/${name}`)).mode ?? 0) & 0o077, 0, name);
      }
      // Nothing but the key is needed for a token to stay good.
      if (!told[0]?.includes(name)) await Deno.remove(`${state}/${name}`);
    }
    await using again = await startHttpMode({ ...options, port: first.port });
    const response = await call(again.mcpUrl, tokens.access_token, ping);
    await response.body?.cancel();

    assert.equal(response.status, 200, names.join());
    assert.ok(!again.process.stderr.some((line) => line.includes("signing_key_created")));
  } finally {
    await Deno.remove(state, { recursive: true });
  }
});
