import assert from "node:assert/strict";
import type { Fields, Logger } from "../../lib/base/log.ts";
import { bridgeKit, type Kit, login, registerClient } from "./kit.ts";
import { heardLog } from "../support/watched_log.ts";

/** A log that remembers warnings. */
function warnings(): Logger & { readonly said: [string, Fields | undefined][] } {
  const said: [string, Fields | undefined][] = [];
  return { ...heardLog({ warn: (event, fields) => void said.push([event, fields]) }), said };
}

function counted(kit: Kit, name: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const entry of kit.counters.entries()) {
    if (entry.name === name) found[Object.values(entry.labels).join(" ")] = entry.value;
  }
  return found;
}

Deno.test("Funnel counts each step of a login once, by client", async () => {
  const kit = await bridgeKit();

  const { tokens } = await login(kit.app);
  await kit.bridge.authenticate(tokens.access_token);
  await kit.bridge.authenticate(tokens.access_token);

  assert.deepEqual(counted(kit, "mcp_doorman_login_steps_total"), {
    "registered Test": 1,
    "authorize Test": 1,
    "consent Test": 1,
    "idp Test": 1,
    "callback Test": 1,
    "token Test": 1,
    "first_request Test": 1,
  });
});

Deno.test("Funnel warns once about a token that nobody presents within a minute", async () => {
  const log = warnings();
  const kit = await bridgeKit({ log });
  await login(kit.app);

  await kit.clock.advance(59_000);
  assert.equal(log.said.filter(([event]) => event === "token_unused").length, 0);
  await kit.clock.advance(2_000);
  await kit.clock.advance(600_000);

  const said = log.said.filter(([event]) => event === "token_unused");
  assert.equal(said.length, 1);
  assert.equal(said[0]?.[1]?.clientName, "Test");
  assert.match(said[0]?.[1]?.hint ?? "", /user agent/);
  assert.deepEqual(counted(kit, "mcp_doorman_token_unused_total"), { Test: 1 });
});

Deno.test("Funnel does not warn when the token was used at another replica", async () => {
  const log = warnings();
  const kit = await bridgeKit({ log });
  const { tokens } = await login(kit.app);

  await kit.start().bridge.authenticate(tokens.access_token);
  await kit.clock.advance(61_000);

  assert.deepEqual(log.said.filter(([event]) => event === "token_unused"), []);
  assert.equal(counted(kit, "mcp_doorman_login_steps_total")["first_request Test"], 1);
});

Deno.test("Funnel stops waiting when the bridge ends", async () => {
  const log = warnings();
  const kit = await bridgeKit({ log });
  await login(kit.app);
  assert.equal(kit.clock.waiting, 1);

  await kit.bridge[Symbol.asyncDispose]();

  assert.equal(kit.clock.waiting, 0);
  assert.deepEqual(log.said, []);
});

Deno.test("Funnel counts at most fifty names apart, since anybody may register any name", async () => {
  const kit = await bridgeKit();

  for (let n = 0; n < 60; n++) await registerClient(kit.app, { client_name: `Client ${n}` });

  const steps = counted(kit, "mcp_doorman_login_steps_total");
  assert.equal(Object.keys(steps).length, 51);
  assert.equal(steps["registered _other"], 10);
});
