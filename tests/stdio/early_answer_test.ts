import assert from "node:assert/strict";
import type { Credentials, LoginStatus } from "../../lib/stdio/credentials.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { initializeMessage, memoryAnswers, startPump } from "../support/pump.ts";

const url = "https://login.example/authorize?x=1";
const _meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "host", version: "1" },
};

/** A login that a test finishes when it likes. */
function slowLogin(): Credentials & { set(status: LoginStatus): void; asked: number } {
  let status: LoginStatus = { state: "waiting_for_user", url };
  let change = Promise.withResolvers<void>();
  const ended = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  const credentials = {
    asked: 0,
    async headers(signal: AbortSignal) {
      credentials.asked++;
      while (status.state !== "ready") await Promise.race([change.promise, ended(signal)]);
      return { list: [["authorization", "Bearer t"]] as const };
    },
    renew: () => Promise.resolve(false),
    status: () => status,
    changed: (signal: AbortSignal) => Promise.race([change.promise, ended(signal)]),
    set(next: LoginStatus) {
      status = next;
      const { resolve } = change;
      change = Promise.withResolvers();
      resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return credentials;
}

Deno.test("an upstream that answers while the stand-in is being made is not stood in for, and is introduced once", async () => {
  const credentials = slowLogin();
  await using upstream = startUpstream();
  const looked = Promise.withResolvers<undefined>();
  const answers = {
    ...memoryAnswers(),
    get() {
      credentials.set({ state: "ready" });
      return looked.promise;
    },
  };
  await using pump = startPump(upstream.url, { credentials, answers, firstAnswerTimeoutMs: 50 });

  const hello = await pump.ask(initializeMessage());
  looked.resolve(undefined);
  pump.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const { result } = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });

  assert.equal(hello.result.serverInfo.name, "test-upstream");
  assert.ok(result.tools.some(({ name }: { name: string }) => name === "echo"));
  assert.equal(upstream.received.filter(({ rpcMethod }) => rpcMethod === "initialize").length, 1);
  assert.ok(!pump.lines.some((line) => line.includes('list_changed"')), pump.lines.join("\n"));
});

Deno.test("initialize is answered while the login waits, and the tools come when it is done", async () => {
  const credentials = slowLogin();
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url, { credentials, firstAnswerTimeoutMs: 50 });

  const hello = await pump.ask(initializeMessage());
  pump.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const tools = await pump.ask({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const login = await pump.ask({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "login" } });
  const other = await pump.ask({ jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "echo" } });
  const prompts = await pump.ask({ jsonrpc: "2.0", id: 4, method: "prompts/list" });
  assert.equal(upstream.received.length, 0);
  credentials.set({ state: "ready" });
  await pump.find((message) => message.method === "notifications/tools/list_changed");
  const real = await pump.ask({ jsonrpc: "2.0", id: 5, method: "tools/list" });
  const called = await pump.ask({
    jsonrpc: "2.0",
    id: 6,
    method: "tools/call",
    params: { name: "echo", arguments: { text: "said to the tool alone" } },
  });

  assert.equal(hello.result.protocolVersion, "2025-11-25");
  assert.deepEqual(hello.result.capabilities, { tools: { listChanged: true } });
  assert.deepEqual(tools.result.tools.map(({ name }: { name: string }) => name), ["login"]);
  assert.match(login.result.content[0].text, /https:\/\/login\.example\/authorize\?x=1/);
  assert.equal(other.error.code, -31003);
  assert.match(other.error.message, /login\.example/);
  assert.deepEqual(prompts.result, { prompts: [] });
  assert.ok(real.result.tools.length > 3);
  assert.equal(called.result.content[0].text, "said to the tool alone");
  const methods = upstream.received.filter(({ method }) => method === "POST").map(({ rpcMethod }) =>
    rpcMethod
  );
  assert.deepEqual(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call"]);
  assert.equal(pump.lines.filter((line) => line.includes('"serverInfo"')).length, 1);
});

Deno.test("the upstream is introduced as it was last time", async () => {
  const answers = memoryAnswers();
  await using upstream = startUpstream({ name: "the-real-one", instructions: "be kind" });
  {
    await using pump = startPump(upstream.url, { answers });
    await pump.ask(initializeMessage());
  }
  const credentials = slowLogin();
  await using pump = startPump(upstream.url, { answers, credentials, firstAnswerTimeoutMs: 30 });

  const { result } = await pump.ask(initializeMessage());

  assert.equal(result.serverInfo.name, "the-real-one");
  assert.equal(result.instructions, "be kind");
  assert.ok(result.capabilities.prompts);
});

Deno.test("a login that is done in time changes nothing", async () => {
  const credentials = slowLogin();
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url, { credentials, firstAnswerTimeoutMs: 5_000 });
  pump.send(initializeMessage());
  while (credentials.asked === 0) await new Promise((go) => setTimeout(go, 1));

  credentials.set({ state: "ready" });

  assert.equal((await pump.answer(0)).result.serverInfo.name, "test-upstream");
  assert.equal(pump.lines.length, 1);
});

Deno.test("asking for the login tool after a failed login begins another one", async () => {
  const credentials = slowLogin();
  credentials.set({ state: "failed", message: "access denied" });
  await using upstream = startUpstream();
  await using pump = startPump(upstream.url, { credentials, firstAnswerTimeoutMs: 30 });
  await pump.ask(initializeMessage());
  const before = credentials.asked;

  pump.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "login" } });
  while (credentials.asked === before) await new Promise((go) => setTimeout(go, 1));
  credentials.set({ state: "waiting_for_user", url });

  assert.match((await pump.answer(1)).result.content[0].text, /Open this address/);
});

Deno.test("revision 2026-07-28: the same with server/discover and a subscription", async () => {
  const credentials = slowLogin();
  await using upstream = startUpstream({ eras: "modern" });
  await using pump = startPump(upstream.url, { credentials, firstAnswerTimeoutMs: 50 });
  const ask = (id: unknown, method: string, params = {}) => ({
    jsonrpc: "2.0",
    id,
    method,
    params: { _meta, ...params },
  });

  const found = await pump.ask(ask(0, "server/discover"));
  pump.send(ask("sub", "subscriptions/listen", { notifications: { toolsListChanged: true } }));
  const confirmed = await pump.find((message) =>
    message.method === "notifications/subscriptions/acknowledged"
  );
  const tools = await pump.ask(ask(1, "tools/list"));
  credentials.set({ state: "ready" });
  const changed = await pump.find((message) => message.method === "notifications/tools/list_changed");
  const real = await pump.ask(ask(2, "tools/list"));

  assert.deepEqual(found.result.supportedVersions, ["2026-07-28"]);
  const subscription = { "io.modelcontextprotocol/subscriptionId": "sub" };
  assert.deepEqual(confirmed.params._meta, subscription);
  assert.deepEqual(changed.params._meta, subscription);
  assert.deepEqual(tools.result.tools.map(({ name }: { name: string }) => name), ["login"]);
  assert.ok(real.result.tools.length > 3);
});
