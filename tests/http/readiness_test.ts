import assert from "node:assert/strict";
import { readiness, type ReadinessParts } from "../../lib/http/readiness.ts";

/** All is well, and the probes are counted. */
function parts(changes: Partial<ReadinessParts> = {}) {
  const asked = { store: 0, idp: 0, upstream: 0 };
  const all: ReadinessParts = {
    draining: () => false,
    store: () => (asked.store++, Promise.resolve()),
    idpReached: () => true,
    idp: () => (asked.idp++, Promise.resolve(true)),
    upstream: () => (asked.upstream++, Promise.resolve(true)),
    ...changes,
  };
  return { ready: readiness(all), asked };
}

const never = new Promise<never>(() => {});

Deno.test("ready when store, IdP and upstream are there", async () => {
  assert.deepEqual(await parts().ready(), { code: 200, body: { status: "ok" } });
});

Deno.test("probes that come together are one, and an answer is believed for a moment", async () => {
  const { ready, asked } = parts();

  await Promise.all([ready(), ready(), ready()]);
  await ready();

  assert.deepEqual(asked, { store: 1, idp: 1, upstream: 1 });
});

Deno.test("not ready while the store is lost, also when it does not answer at all", async () => {
  const lost = { code: 503, body: { status: "store_unavailable" } };
  assert.deepEqual(await parts({ store: () => Promise.reject(new Error("down")) }).ready(), lost);
  assert.deepEqual(await parts({ store: () => never }).ready(), lost);
});

Deno.test("not ready until the IdP was reached for the first time", async () => {
  let reached = false;
  const { ready } = parts({ idpReached: () => reached, idp: () => Promise.resolve(reached) });

  assert.deepEqual(await ready(), { code: 503, body: { status: "idp_not_reached" } });
  reached = true;
  assert.equal((await ready()).code, 200);
});

Deno.test("later trouble of IdP or upstream is named, and takes nobody out of service", async () => {
  const away = () => Promise.resolve(false);
  const one = await parts({ idp: away }).ready();
  const both = await parts({ idp: away, upstream: () => never }).ready();

  assert.deepEqual(one, { code: 200, body: { status: "degraded", degraded: ["idp"] } });
  assert.deepEqual(both, { code: 200, body: { status: "degraded", degraded: ["idp", "upstream"] } });
});

Deno.test("not ready while draining, without a probe", async () => {
  const { ready, asked } = parts({ draining: () => true });

  assert.deepEqual(await ready(), { code: 503, body: { status: "shutting_down" } });
  assert.deepEqual(asked, { store: 0, idp: 0, upstream: 0 });
});
