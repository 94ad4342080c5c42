/** The certificate of a listener that has no edge in front, and its renewal while it serves. */
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { memoryCounters } from "../../lib/base/counters.ts";
import { type Fields, silentLog } from "../../lib/base/log.ts";
import { listen } from "../../lib/http/serve.ts";
import { readTls, renewOnChange } from "../../lib/http/tls.ts";
import { fakeClock } from "../fakes/clock.ts";
import { tlsFiles } from "../support/tls.ts";
import { heardLog } from "../support/watched_log.ts";

const first = { certFile: tlsFiles.serverCert, keyFile: tlsFiles.serverKey };
const second = { certFile: tlsFiles.clientCert, keyFile: tlsFiles.clientKey };

/** The name in the certificate that a new connection is shown. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject?.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** The same; a connection that is being set up while listeners change is closed, so that one tries again. */
async function shownSoon(port: number): Promise<string> {
  for (let attempt = 0;; attempt++) {
    try {
      return await shownName(port);
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

const local = { hostname: "127.0.0.1", port: 0 };

Deno.test("new connections get the new certificate, a call in flight ends, and drain waits for both", async () => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const handler = () => (arrived.resolve(), answer.promise);
  const server = listen({ ...local, tls: await readTls(first) }, handler, silentLog);
  const before = await shownName(server.port);
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(tlsFiles.ca)] });
  const call = fetch(`https://localhost:${server.port}/`, { client });
  await arrived.promise;

  server.renew(await readTls(second));

  const after = await shownSoon(server.port);
  assert.notEqual(after, before);
  assert.equal(await server.drain({ deadlineMs: 50 }), true, "the call is still running");
  answer.resolve(new Response("done"));
  assert.equal(await (await call).text(), "done");
});

Deno.test("a key that does not belong to its certificate is refused, and the old pair stays", async () => {
  const server = listen(
    { ...local, tls: await readTls(first) },
    () => Promise.resolve(new Response()),
    silentLog,
  );
  const before = await shownName(server.port);

  assert.throws(() => server.renew({ ...good.first, key: good.second.key }));

  assert.equal(await shownName(server.port), before);
  await server.drain({ deadlineMs: 1_000 });
});

const good = { first: await readTls(first), second: await readTls(second) };

Deno.test("files that change are taken over once, files that are no good are said once and asked again", async () => {
  const folder = await Deno.makeTempDir();
  const files = { certFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key` };
  const write = async ({ cert, key }: { cert: string; key: string }) => {
    await Deno.writeTextFile(files.certFile, cert);
    await Deno.writeTextFile(files.keyFile, key);
  };
  await write(good.first);
  const clock = fakeClock();
  const counters = memoryCounters();
  const events: string[] = [];
  const note = (event: string, fields?: Fields) =>
    events.push(`${event} ${(fields?.cause ?? "").replace(/ "[^]*/, "")}`);
  const log = heardLog({ info: note, error: note });
  const renewed: string[] = [];
  const server = {
    renew: (tls: { cert: string; key: string }) => {
      if (tls.cert === good.first.cert && tls.key === good.second.key) throw new Error("no pair");
      renewed.push(tls.cert === good.first.cert ? "first" : "second");
    },
  };
  const stop = new AbortController();
  const tls = good.first;
  const watching = renewOnChange({ files, tls, server, clock, counters, log, signal: stop.signal });
  // The files are read for real, so that what a look found is waited for.
  const look = async () => {
    await clock.advance(5_000);
    while (clock.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  try {
    await look();
    await write({ cert: good.first.cert, key: good.second.key });
    await look();
    await look();
    for (let time = 0; time < 2; time++) {
      await Deno.remove(files.keyFile);
      await look();
      await look();
      await write({ cert: good.first.cert, key: good.second.key });
      await look();
    }
    await write(good.second);
    await look();
    await look();
  } finally {
    stop.abort();
    await watching;
    await Deno.remove(folder, { recursive: true });
  }

  assert.deepEqual(renewed, ["second"]);
  assert.deepEqual(events, [
    "tls_certificate_unusable no pair",
    "tls_certificate_unusable Cannot read the TLS key",
    "tls_certificate_unusable Cannot read the TLS key",
    "tls_certificate_renewed ",
  ]);
  const counted = [...counters.entries()].map(({ labels, value }) => `${labels.outcome} ${value}`);
  assert.deepEqual(counted, ["failed 3", "ok 1"]);
});

Deno.test("a file that is no PEM, or is not there, is one line that names it", async () => {
  await assert.rejects(
    readTls({ ...first, certFile: tlsFiles.serverKey }),
    /certificate ".*server\.key".*PEM/,
  );
  await assert.rejects(
    readTls({ ...first, keyFile: "/nothing/there.key" }),
    /TLS key "\/nothing\/there\.key"/,
  );
});
