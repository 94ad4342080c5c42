import assert from "node:assert/strict";
import { UserError } from "../../lib/base/errors.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { Watch } from "../../lib/base/watch.ts";
import { authorizedFetch } from "../../lib/stdio/authorized_fetch.ts";
import type { Credentials, LoginStatus } from "../../lib/stdio/credentials.ts";
import type { Unanswered } from "../../lib/stdio/rpc_error.ts";
import { fetchTransport } from "../../lib/upstream/fetch_transport.ts";
import { shakeHands, startPump } from "../support/pump.ts";
import { plainInitialize, type RawRequest, rawUpstream, rpcResult } from "../support/raw_upstream.ts";
import { numberedTokens } from "./numbered_tokens.ts";

const call = (id: unknown) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "x" } });
const tokensOf = (requests: readonly RawRequest[]) =>
  requests.map(({ headers }) => headers.get("authorization"));

Deno.test("a token that expired in mid-session is renewed, once for all who were refused, and the calls go through", async () => {
  let good = "Bearer t0";
  await using upstream = rawUpstream((request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (request.headers.get("authorization") !== good) {
      return new Response(null, {
        status: 401,
        headers: { "www-authenticate": 'Bearer error="invalid_token"' },
      });
    }
    return rpcResult(request, request.rpc?.method === "initialize" ? plainInitialize : {});
  });
  const { credentials, refusals } = numberedTokens();
  await using pump = startPump(upstream.url, { credentials });
  await shakeHands(pump);
  await pump.ask({ jsonrpc: "2.0", id: "p", method: "ping" });
  good = "Bearer t1";

  const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => pump.ask(call(id + 100))));

  assert.ok(answers.every(({ result }) => result !== undefined));
  assert.equal(refusals[0]?.refusal.challenge, 'Bearer error="invalid_token"');
  assert.equal(new Set(tokensOf(upstream.requests)).size, 2);
});

Deno.test("a second 401 is given back, without a loop", async () => {
  await using upstream = rawUpstream(() => new Response(null, { status: 401 }));
  const { credentials } = numberedTokens();
  await using pump = startPump(upstream.url, { credentials });

  const { error } = await pump.ask(call(1));

  assert.equal(error.data.httpStatus, 401);
  assert.deepEqual(tokensOf(upstream.requests), ["Bearer t0", "Bearer t1"]);
});

Deno.test("a 403 is cured only when a scope is wanting, and twice at most", async () => {
  let challenge = "";
  await using upstream = rawUpstream(() =>
    new Response(null, {
      status: 403,
      ...(challenge === "" ? {} : { headers: { "www-authenticate": challenge } }),
    })
  );
  const { credentials } = numberedTokens();
  await using pump = startPump(upstream.url, { credentials });

  await pump.ask(call(1));
  assert.equal(upstream.requests.length, 1);
  challenge = 'Bearer error="insufficient_scope", scope="a b"';
  await pump.ask(call(2));

  assert.equal(upstream.requests.length, 4);
});

Deno.test("a refusal that cannot be cured is given back at once", async () => {
  await using upstream = rawUpstream(() => new Response(null, { status: 401 }));
  const { credentials } = numberedTokens(() => false);
  await using pump = startPump(upstream.url, { credentials });

  const { error } = await pump.ask(call(1));

  assert.match(error.data.hint, /mcp-doorman login/);
  assert.equal(upstream.requests.length, 1);
});

Deno.test("credentials are not sent where a redirect to another origin leads", async () => {
  await using other = rawUpstream((request) => rpcResult(request, {}));
  await using upstream = rawUpstream(() =>
    new Response(null, { status: 307, headers: { location: other.url } })
  );
  await using pump = startPump(upstream.url, { credentials: numberedTokens().credentials });

  const { error } = await pump.ask(call(1));

  assert.match(error.message, /redirects to/);
  assert.equal(other.requests.length, 0);
});

Deno.test("redirects in a circle end", async () => {
  await using upstream = rawUpstream(() =>
    new Response(null, { status: 307, headers: { location: "/mcp" } })
  );
  await using pump = startPump(upstream.url);

  const { error } = await pump.ask(call(1));

  assert.ok(error);
  assert.ok(upstream.requests.length <= 4);
});

/** Credentials that never come, in this state. */
function never(status: LoginStatus): Credentials {
  const wait = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  return {
    headers: wait,
    renew: (_used, _refusal, signal) => wait(signal),
    status: () => status,
    changed: wait,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("a request that waits too long for a login gets an error that says where to log in", async () => {
  const http = openHttpClient();
  const credentials = never({ state: "waiting_for_user", url: "https://login.example/x", userCode: "AB-12" });
  const transport = fetchTransport("http://127.0.0.1:1", http);
  const fetch = authorizedFetch({
    transport,
    credentials,
    userAgent: "t",
    loginWaitMs: 30,
    isDirect: () => true,
    watch: new Watch(10),
  });

  const sending = fetch({
    method: "POST",
    url: new URL("http://127.0.0.1:1/"),
    headers: [],
    signal: new AbortController().signal,
  });

  await assert.rejects(sending, (error: Unanswered) => {
    assert.equal(error.code, -31003);
    assert.match(error.hint ?? "", /https:\/\/login\.example\/x with the code AB-12/);
    return true;
  });
  http.close();
});

Deno.test("a login that failed gives its own words and hint to the request", async () => {
  const credentials: Credentials = {
    ...never({ state: "failed", message: "x" }),
    headers: () => Promise.reject(new UserError("The login was refused", { hint: "Ask the administrator." })),
  };
  await using pump = startPump("http://127.0.0.1:1/mcp", { credentials });

  const { error } = await pump.ask(call(1));

  assert.equal(error.data.cause, "The login was refused");
  assert.equal(error.data.hint, "Ask the administrator.");
});
