/** The test authority and a server under it, for outbound TLS on loopback. */

import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

const folder = new URL("../fixtures/tls/", import.meta.url);

/** Paths of the PEM files in `tests/fixtures/tls`. */
export const tlsFiles = {
  ca: file("ca.pem"),
  serverCert: file("server.pem"),
  serverKey: file("server.key"),
  clientCert: file("client.pem"),
  clientKey: file("client.key"),
};

function file(name: string): string {
  return decodeURIComponent(new URL(name, folder).pathname);
}

/** An https server, on 127.0.0.1 unless told otherwise, with a certificate for `localhost`, 127.0.0.1 and `*.doorman.test`. */
export function serveTls(
  handler: (request: Request) => Response | Promise<Response>,
  hostname = "127.0.0.1",
): {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
} {
  const server = Deno.serve({
    hostname,
    port: 0,
    cert: Deno.readTextFileSync(tlsFiles.serverCert),
    key: Deno.readTextFileSync(tlsFiles.serverKey),
    onListen: () => {},
  }, handler);
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A server that wants a client certificate of this authority, at `https://localhost`; node's, since Deno's cannot ask. */
export async function startCertificateServer(
  answer: RequestListener,
): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer({
    key: await Deno.readTextFile(tlsFiles.serverKey),
    cert: await Deno.readTextFile(tlsFiles.serverCert),
    ca: await Deno.readTextFile(tlsFiles.ca),
    requestCert: true,
    rejectUnauthorized: true,
  }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
