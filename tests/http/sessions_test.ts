import assert from "node:assert/strict";
import { recorder } from "./recorder.ts";
import { caller, NamedInbound, startFront } from "./support.ts";

const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';

function stateful() {
  return recorder(({ body }) => {
    const headers = {
      "content-type": "application/json",
      ...(/initialize/.test(body) ? { "mcp-session-id": "inner-1" } : {}),
    };
    return new Response('{"jsonrpc":"2.0","id":1,"result":{}}', { headers });
  });
}

async function post(
  url: string,
  token: string,
  headers: Record<string, string> = {},
  body = "{}",
  method = "POST",
) {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(method === "POST" ? { body } : {}),
  });
  return {
    status: response.status,
    session: response.headers.get("mcp-session-id"),
    text: await response.text(),
  };
}

Deno.test("a session belongs to who opened it; for anybody else it is unknown, on every method", async () => {
  const { seen, upstream } = stateful();
  const inbound = new NamedInbound("alice", "bob");
  inbound.callers.set("alice-elsewhere", caller("alice", { clientId: "another-client" }));
  inbound.callers.set("carol", caller("carol", { clientId: "client-of-alice" }));
  await using front = await startFront({ upstream, inbound });
  const { session } = await post(front.url, "alice", {}, initialize);
  assert.ok(session !== null && session !== "inner-1" && /^[\x21-\x7e]+$/.test(session));
  const before = seen.length;

  for (const token of ["bob", "alice-elsewhere", "carol"]) {
    for (const method of ["POST", "GET", "DELETE"]) {
      const stolen = await post(
        front.url,
        token,
        { "mcp-session-id": session, "last-event-id": "4" },
        "{}",
        method,
      );
      assert.equal(stolen.status, 404);
      assert.match(stolen.text, /"code":-32600,"message":"Session not found"/);
    }
  }

  assert.equal(seen.length, before);
  const own = await post(front.url, "alice", { "mcp-session-id": session });
  assert.equal(own.status, 200);
  assert.equal(seen.at(-1)?.headers.get("mcp-session-id"), "inner-1");
});

Deno.test("an upstream's own session id, a changed one and nonsense are unknown", async () => {
  const { seen, upstream } = stateful();
  await using front = await startFront({ upstream });
  const { session } = await post(front.url, "alice", {}, initialize);
  const before = seen.length;

  for (
    const forged of [
      "inner-1",
      `${session}x`,
      session?.replace(/.(?=.{5}$)/, "_") ?? "",
      "a.b.c.d.e",
      "x".repeat(9_000),
    ]
  ) {
    const answer = await post(front.url, "alice", { "mcp-session-id": forged });
    assert.equal(answer.status, 404, forged.slice(0, 20));
  }

  assert.equal(seen.length, before);
});

Deno.test("a session outlives the process that bound it", async () => {
  const { seen, upstream } = stateful();
  let session: string | null;
  {
    await using first = await startFront({ upstream });
    ({ session } = await post(first.url, "alice", {}, initialize));
  }
  await using second = await startFront({ upstream });

  const answer = await post(second.url, "alice", { "mcp-session-id": session ?? "" });

  assert.equal(answer.status, 200);
  assert.equal(seen.at(-1)?.headers.get("mcp-session-id"), "inner-1");
});

Deno.test("an upstream that repeats its session id does not change the client's", async () => {
  const { upstream } = recorder(() => new Response("{}", { headers: { "mcp-session-id": "inner-1" } }));
  await using front = await startFront({ upstream });
  const first = await post(front.url, "alice", {}, initialize);

  const second = await post(front.url, "alice", { "mcp-session-id": first.session ?? "" });

  assert.equal(second.session, first.session);
});

Deno.test("two users with a thousand interleaved calls never see each other's data, session or token", async () => {
  const upstream = async (request: Request) => {
    const session = request.headers.get("mcp-session-id");
    const user = request.headers.get("x-user-sub");
    const token = request.headers.get("authorization");
    const body = await request.text();
    return Response.json({ session, user, token, body });
  };
  const inbound = new NamedInbound("alice", "bob");
  for (const name of ["alice", "bob"]) {
    inbound.callers.set(name, caller(name, { forwardable: `idp-token-of-${name}` }));
  }
  const { forward } = await import("../../lib/outbound/forward.ts");
  await using opening = await startFront({
    upstream: (request) =>
      new Response("{}", { headers: { "mcp-session-id": `of-${request.headers.get("x-user-sub")}` } }),
    inbound,
  });
  const sessions = new Map<string, string>();
  for (const name of ["alice", "bob"]) {
    sessions.set(name, (await post(opening.url, name, {}, initialize)).session ?? "");
  }
  await using front = await startFront({
    upstream,
    inbound,
    outbound: (context) => forward.create({}, context),
  });

  const work = Array.from({ length: 1_000 }, async (_, at) => {
    const name = at % 2 === 0 ? "alice" : "bob";
    const answer = await post(
      front.url,
      name,
      { "mcp-session-id": sessions.get(name) ?? "" },
      `${name}-${at}`,
    );
    assert.deepEqual(JSON.parse(answer.text), {
      session: `of-${name}`,
      user: name,
      token: `Bearer idp-token-of-${name}`,
      body: `${name}-${at}`,
    });
  });
  await Promise.all(work);
});
