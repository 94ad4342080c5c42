/** What happens before a connection is one. */
import assert from "node:assert/strict";
import { answersIn, RawConnection, say, serveHere } from "./raw_connection.ts";
import { heardLog } from "../../support/watched_log.ts";

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

Deno.test("without file descriptors for more, connections that are open are served, and new ones once some are free", async () => {
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n 64 && exec "$0" run -A --no-check "$1"',
      Deno.execPath(),
      new URL("./listener_child.ts", import.meta.url).pathname,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  const hears = async (wanted: RegExp) => {
    while (!wanted.test(said)) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`ended after ${said}`);
      said += value;
    }
    return wanted.exec(said)?.[1] ?? "";
  };
  try {
    const port = Number(await hears(/port (\d+)\n/));
    using open = await RawConnection.open(port);
    await open.send(get);
    await open.until(/served/);

    const crowd: RawConnection[] = [];
    for (let at = 0; at < 64; at++) crowd.push(await RawConnection.open(port));
    await hears(/(listener_failed)/);
    open.got = "";
    await open.send(get);
    await open.until(/served/);

    for (const connection of crowd) connection.close();
    await hears(/(listener_restarted)/);
    using later = await RawConnection.open(port);
    await later.send(get);
    await later.until(/served/);
    assert.equal(said.match(/listener_failed/g)?.length, 1);
  } finally {
    child.kill("SIGKILL");
    await lines.cancel();
    await child.status;
  }
});

/** Connects and resets at once, many times. */
const resets = `
  import { connect } from "node:net";
  let left = 200;
  for (let at = left; at > 0; at--) {
    const socket = connect(Number(Deno.args[0]), "127.0.0.1", () => {
      socket.resetAndDestroy();
      if (--left === 0) Deno.exit(0);
    });
  }
`;

Deno.test("connections that are reset before they are accepted keep nobody out and are no failure", async () => {
  const lines: string[] = [];
  await using here = serveHere(() => Promise.resolve(say("served")), {
    log: heardLog({ error: (event) => lines.push(event), warn: (event) => lines.push(event) }),
  });

  // Synchronous, so that they all wait in the listener's queue.
  const args = ["eval", resets, `${here.port}`];
  const { success } = new Deno.Command(Deno.execPath(), { args, stderr: "null" }).outputSync();
  assert.equal(success, true);
  const startedMs = performance.now();
  using connection = await RawConnection.open(here.port);
  await connection.send(get);
  await connection.until(/served/);

  assert.equal(answersIn(connection.got).length, 1);
  assert.ok(performance.now() - startedMs < 5_000);
  assert.deepEqual(lines, []);
});
