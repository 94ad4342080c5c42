/** A listener that has lost its accept loop, for want of file descriptors, listens again with what it had. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { textLines } from "../support/lines.ts";
import { tlsFiles } from "../support/tls.ts";

/** The certificate that a new connection is shown. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

Deno.test({
  name: "after a renewal that failed, a listener that has to listen again does so with the old certificate",
  // Deno 2.6 does not always say that its loop has ended.
  ignore: Deno.build.os === "windows" || Deno.version.deno.startsWith("2.6."),
  async fn() {
    const program = new URL("./relisten_child.ts", import.meta.url).pathname;
    const child = new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 100; exec "$0" run -A --no-check "$1"', Deno.execPath(), program],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = child.stdout.pipeThrough(textLines()).getReader();
    const next = async () => (await lines.read()).value ?? "(it ended)";
    const held: Deno.Conn[] = [];
    try {
      assert.equal(await next(), "renewal_failed");
      const port = Number(await next());
      assert.equal(await next(), "exhausted");
      // Once its accept loop is gone, nobody listens for a moment.
      let line: string | undefined;
      const said = next().then((text) => line = text);
      while (line === undefined && held.length < 90) {
        // Refused is who comes when the loop has just ended.
        const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
        if (connection !== undefined) held.push(connection);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal(await said, "listener_failed");
      for (const connection of held.splice(0)) connection.close();
      assert.equal(await next(), "listener_restarted");

      const { fingerprint256 } = new X509Certificate(await Deno.readTextFile(tlsFiles.serverCert));
      assert.equal(await shown(port), fingerprint256);
    } finally {
      for (const connection of held) connection.close();
      child.kill();
      await lines.cancel();
      await child.status;
    }
  },
});
