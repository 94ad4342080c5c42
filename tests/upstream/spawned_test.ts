import assert from "node:assert/strict";
import type { Clock } from "../../lib/base/clock.ts";
import type { Fields } from "../../lib/base/log.ts";
import { spawnedUpstream } from "../../lib/upstream/spawned.ts";
import type { UpstreamRequest, UpstreamResponse } from "../../lib/upstream/upstream.ts";
import { fakeClock } from "../fakes/clock.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { heardLog } from "../support/watched_log.ts";

const child = new URL("./child.ts", import.meta.url).pathname;

function request(body: string): UpstreamRequest {
  return {
    method: "POST",
    suffix: "",
    headers: [],
    body: new TextEncoder().encode(body),
    clientGone: () => new AbortController().signal,
  };
}

function jsonOf({ body }: UpstreamResponse): { pid: number; text: string } {
  assert.ok(body instanceof Uint8Array);
  return JSON.parse(new TextDecoder().decode(body));
}

/** Starts a child and notes what is logged; `seen(event)` resolves with the fields of the event's next line. */
function start(manner: string, { command, clock }: { command?: string[]; clock?: Clock } = {}) {
  const port = unusedPort();
  const lines: { event: string; fields: Fields }[] = [];
  const waiting = new Map<string, PromiseWithResolvers<Fields>>();
  const note = (event: string, fields: Fields = {}) => {
    lines.push({ event, fields });
    waiting.get(event)?.resolve(fields);
    waiting.delete(event);
  };
  const log = heardLog({ info: note, warn: note, error: note });
  const upstream = spawnedUpstream({
    kind: "spawn",
    command: command ??
      [Deno.execPath(), "run", "-A", "--no-lock", "--no-config", child, String(port), manner],
    port,
    path: "/mcp",
    connectTimeoutMs: 1_000,
    firstByteTimeoutMs: 0,
  }, { log, ...(clock === undefined ? {} : { clock }) });
  return {
    upstream,
    port,
    lines,
    seen(event: string): Promise<Fields> {
      const wait = waiting.get(event) ?? Promise.withResolvers<Fields>();
      waiting.set(event, wait);
      return wait.promise;
    },
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a request waits for the child to be ready; its output is in our log; it ends with us", async () => {
  let lines: { event: string; fields: Fields }[];
  {
    await using it = start("well");
    lines = it.lines;
    const response = await it.upstream.forward(request("hello"));
    assert.equal(jsonOf(response).text, "hello");
    assert.equal(await it.upstream.ready(), true);
  }
  const outputs = lines.filter(({ event }) => event === "upstream_output").map(({ fields }) =>
    `${fields.kind}: ${fields.detail}`
  );
  assert.deepEqual(outputs.sort(), ["stderr: a line on stderr", "stdout: a line on stdout"]);
  assert.deepEqual(lines.at(-1)?.event, "upstream_ended");
});

Deno.test("a child that dies is started again after a pause and serves again", async () => {
  await using it = start("well");
  const first = jsonOf(await it.upstream.forward(request("1")));

  const ended = it.seen("upstream_ended");
  const again = it.seen("upstream_restarting");
  await assert.rejects(it.upstream.forward(request("die")), { name: "UpstreamError" });
  assert.equal((await ended).code, "5");
  assert.equal((await again).waitMs, 1_000);
  const second = jsonOf(await it.upstream.forward(request("2")));

  assert.notEqual(second.pid, first.pid);
});

Deno.test("a child that dies at once is started again with pauses that grow", async () => {
  await using it = start("dies");

  const first = await it.seen("upstream_restarting");
  const second = await it.seen("upstream_restarting");

  assert.deepEqual([first.waitMs, second.waitMs], [1_000, 2_000]);
});

Deno.test("a child that stays when it is told to go is killed five seconds later, and not before", async () => {
  const clock = fakeClock();
  const it = start("deaf", { clock });
  const ready = it.seen("upstream_ready");
  // The child is asked every 100 ms of a time that stands still.
  while (!it.lines.some(({ event }) => event === "upstream_ready")) {
    await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, 20))]);
    await clock.advance(100);
  }

  const ending = it[Symbol.asyncDispose]();
  while (!it.lines.some(({ fields }) => fields.detail === "heard SIGTERM and stays")) {
    await it.seen("upstream_output");
  }
  await clock.advance(4_999);
  assert.equal((await fetch(`http://127.0.0.1:${it.port}`, { method: "POST" })).status, 200);
  await clock.advance(1);
  await ending;

  const { event, fields } = it.lines.at(-1) ?? {};
  assert.deepEqual([event, fields?.reason], ["upstream_ended", "SIGKILL"]);
});

Deno.test("a program that is not there is told in the log, and requests fail in time", async () => {
  const clock = fakeClock();
  const events: string[] = [];
  const log = heardLog({ error: (event, fields) => events.push(`${event} ${fields?.cause}`) });
  const upstream = spawnedUpstream({
    kind: "spawn",
    command: ["/no/such/program"],
    port: unusedPort(),
    path: "/mcp",
    connectTimeoutMs: 1_000,
    firstByteTimeoutMs: 0,
  }, { log, clock });

  const waiting = assert.rejects(upstream.forward(request("x")), { failure: "timeout" });
  await clock.advance(31_000);
  await waiting;

  assert.match(events[0] ?? "", /^upstream_not_started .*no\/such\/program/);
  await upstream[Symbol.asyncDispose]();
});
