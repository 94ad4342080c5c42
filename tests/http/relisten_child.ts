/** Its TLS listener loses its accept loop after a renewal that failed, for want of file descriptors; says how it goes. */
import { listen } from "../../lib/http/serve.ts";
import { readTls } from "../../lib/http/tls.ts";
import { tlsFiles } from "../support/tls.ts";
import { heardLog } from "../support/watched_log.ts";

const taken: Deno.FsFile[] = [];
const log = heardLog({
  error: (event) => {
    for (const file of taken.splice(0)) file.close();
    console.log(event);
  },
  warn: (event) => console.log(event),
});
const tls = await readTls({ certFile: tlsFiles.serverCert, keyFile: tlsFiles.serverKey });
const { key } = await readTls({ certFile: tlsFiles.clientCert, keyFile: tlsFiles.clientKey });
const server = listen({ hostname: "127.0.0.1", port: 0, tls }, () => Promise.resolve(new Response()), log);
try {
  server.renew({ ...tls, key });
} catch {
  console.log("renewal_failed");
}
console.log(server.port);
try {
  for (;;) taken.push(Deno.openSync("/dev/null"));
} catch {
  // The runtime itself needs some now and then.
  for (const file of taken.splice(0, 10)) file.close();
}
console.log("exhausted");
