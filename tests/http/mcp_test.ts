import assert from "node:assert/strict";
import { startFront } from "./support.ts";

const call = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo"}}';

Deno.test("a call with a token reaches the upstream and its answer comes back byte for byte", async () => {
  const answer = '{"jsonrpc":"2.0", "id":7,"result":{"n":12345678901234567890}}';
  let seen = new Headers();
  let body = "";
  await using front = await startFront({
    async upstream(request) {
      seen = new Headers(request.headers);
      body = await request.text();
      return new Response(answer, { headers: { "content-type": "application/json" } });
    },
  });

  const response = await fetch(front.url, {
    method: "POST",
    headers: { authorization: "Bearer alice", "content-type": "application/json" },
    body: call,
  });

  assert.equal(response.status, 200);
  assert.equal(await response.text(), answer);
  assert.equal(body, call);
  assert.equal(seen.get("authorization"), null);
  assert.equal(seen.get("x-user-sub"), "alice");
});

Deno.test("a call without a token is refused with a challenge and the upstream sees nothing", async () => {
  let seen = 0;
  await using front = await startFront({ upstream: () => new Response(String(++seen)) });

  for (const method of ["POST", "GET", "DELETE"]) {
    const response = await fetch(front.url, { method, ...(method === "POST" ? { body: call } : {}) });
    await response.body?.cancel();
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), 'Bearer resource_metadata="http://x/"');
  }

  assert.equal(seen, 0);
});
