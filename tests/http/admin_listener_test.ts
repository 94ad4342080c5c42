import assert from "node:assert/strict";
import type { Fields } from "../../lib/base/log.ts";
import { listenAdmin } from "../../lib/http/admin_listener.ts";
import { fakeClock } from "../fakes/clock.ts";
import { heardLog } from "../support/watched_log.ts";

/** A port that somebody else has. */
function taken() {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { other, place: { hostname: "127.0.0.1", port: other.addr.port } };
}

function start(place: { hostname: string; port: number }) {
  const clock = fakeClock();
  const events: string[] = [];
  const note = (event: string, fields?: Fields) => events.push(`${event} ${fields?.hint ?? ""}`);
  const log = heardLog({ info: note, error: note });
  const answer = () => Promise.resolve(new Response("from the admin listener"));
  return { clock, events, admin: listenAdmin(place, answer, { clock, log }) };
}

Deno.test("the metrics' port that is taken is said once, with the setting, and had as soon as it is free", async () => {
  const { other, place } = taken();
  const { clock, events, admin } = start(place);
  await clock.advance(5_000);
  await clock.advance(5_000);
  assert.equal(admin.port, undefined);
  assert.equal(events.length, 1);
  assert.match(events[0] ?? "", /^metrics_listen_error .*METRICS_ADDR/);
  other.close();

  await clock.advance(5_000);

  assert.equal(admin.port, place.port);
  assert.deepEqual(events.slice(1), ["metrics_listening "]);
  const response = await fetch(`http://127.0.0.1:${place.port}/`);
  assert.equal(await response.text(), "from the admin listener");
  await admin.drain();
});

Deno.test("a listener that is ended while it waits for its port does not come up later", async () => {
  const { other, place } = taken();
  const { clock, admin } = start(place);

  await admin.drain();
  other.close();
  await clock.advance(5_000);

  assert.equal(admin.port, undefined);
});
