import assert from "node:assert/strict";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { fetchTransport } from "../../lib/upstream/fetch_transport.ts";
import { startHandler } from "../fakes/raw_upstream.ts";

Deno.test("what fetch sends stays what it was, although its memory is used for another request", async () => {
  await using server = startHandler(async (request) => new Response(await request.text()));
  const http = openHttpClient();
  using transport = fetchTransport(server.origin, http);
  const memory = new TextEncoder().encode("one user's");

  const sending = transport.send({ method: "POST", target: "/", headers: [], body: memory });
  memory.fill(0x62);
  const { body } = await sending.response;

  assert.equal(await new Response(body).text(), "one user's");
  http.close();
});
