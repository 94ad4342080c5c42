/** Two users with several sessions each at the same time, in front of a server that says back whatever it was told. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler } from "../fakes/raw_upstream.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { logIn } from "../support/oauth_client.ts";

const [sessionsEach, callsEach, atOnce] = [4, 125, 4];

Deno.test("a thousand interleaved calls and eight streams of two users: nobody gets another's data, session or token", async () => {
  await using idp = await startIdp({ users: { alice: {}, bob: {} }, audience: "mcp-server" });
  await using upstream = echoUpstream();
  await using http = await startHttpMode({
    idp,
    upstreamUrl: upstream.url,
    args: ["--outbound-auth", "forward"],
    env: { RATE_LIMIT_MCP: "0", MCP_PER_SUBJECT_CONCURRENCY: "0" },
  });
  const logins = await Promise.all(
    ["alice", "bob"].map(async (user) => ({
      user,
      token: (await logIn(http.mcpUrl, { user })).tokens.access_token,
    })),
  );

  const work = logins.flatMap((login) =>
    Array.from({ length: sessionsEach }, () => playSession(http.mcpUrl, login))
  );
  const sessions = await Promise.all(work);

  assert.equal(new Set(sessions.map(({ outer }) => outer)).size, 2 * sessionsEach);
  assert.equal(new Set(sessions.map(({ inner }) => inner)).size, 2 * sessionsEach);
  assert.equal(upstream.received.length, 2 * sessionsEach * (callsEach + 2));
  // Nobody's token and nobody's id of a session has got through as it is known outside.
  const told = upstream.received.map(({ headers }) => JSON.stringify([...headers]));
  for (const secret of [...logins.map(({ token }) => token), ...sessions.map(({ outer }) => outer)]) {
    assert.ok(!told.some((text) => text.includes(secret)));
  }
});

/** What the upstream saw of one request. */
interface Echo {
  readonly session: string | null;
  readonly user: string | null;
  /** The subject of the token that came along. */
  readonly subject: unknown;
  readonly body: string;
}

/** Opens a session and its stream, makes its calls, and finds in every answer and event nothing but its own. */
async function playSession(url: string, { user, token }: { user: string; token: string }) {
  const ask = (method: string, headers: Record<string, string>, body?: string) =>
    fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const opened = await ask("POST", {}, "initialize");
  const outer = opened.headers.get("mcp-session-id") ?? "";
  const { session: inner }: Echo = await opened.json();
  assert.ok(inner !== null && outer !== "" && outer !== inner);
  const own = { "mcp-session-id": outer };
  const standing = await ask("GET", own);
  const heard = readEvents(standing, callsEach);

  let next = 0;
  const worker = async () => {
    while (next < callsEach) {
      const at = next++;
      const body = `${user} ${inner} ${at}`;
      const expected: Echo = { session: inner, user, subject: user, body };
      const answer = await ask("POST", own, body);
      assert.equal(answer.headers.get("mcp-session-id"), outer);
      const isEvents = answer.headers.get("content-type")?.includes("event-stream");
      const echoes = isEvents ? await readEvents(answer) : [await answer.json()];
      assert.deepEqual(echoes, isEvents ? [expected, expected, expected] : [expected]);
    }
  };
  const [events] = await Promise.all([heard, ...Array.from({ length: atOnce }, worker)]);
  const mine = { session: inner, user, subject: user };
  assert.deepEqual(events.map(({ body: _, ...rest }) => rest), Array(callsEach).fill(mine));
  assert.equal(new Set(events.map(({ body }) => body)).size, callsEach);
  assert.ok(events.every(({ body }) => body.startsWith(`${user} ${inner} `)));
  return { inner, outer };
}

/** The events of a stream, to its end or until there are so many; comments are none. */
async function readEvents(response: Response, count = Infinity): Promise<Echo[]> {
  const events: Echo[] = [];
  let held = "";
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (held + text).split("\n\n");
    held = parts.pop() ?? "";
    events.push(
      ...parts.filter((part) => part.startsWith("data: ")).map((part) => JSON.parse(part.slice(6))),
    );
    if (events.length >= count) break;
  }
  return events;
}

/**
 * Gives out session ids, and says back who asked, in which session, with whose token, and what: at once, or as three
 * events with pauses between them; and once more on the session's own stream.
 */
function echoUpstream() {
  const streams = new Map<string, ReadableStreamDefaultController<Uint8Array>>();
  const event = (echo: Echo) => new TextEncoder().encode(`data: ${JSON.stringify(echo)}\n\n`);
  let [opened, called] = [0, 0];
  return startHandler(async (request) => {
    const { headers, method } = request;
    const body = await request.text();
    const session = body === "initialize" ? `inner-${++opened}` : headers.get("mcp-session-id");
    const subject = subjectOf(headers.get("authorization"));
    const echo: Echo = { session, user: headers.get("x-user-sub"), subject, body };
    const told = { "mcp-session-id": `${session}` };
    const asEvents = (events: ReadableStream<Uint8Array>) =>
      new Response(events, { headers: { ...told, "content-type": "text/event-stream" } });
    if (method === "GET") {
      return asEvents(
        new ReadableStream({ start: (controller) => void streams.set(`${session}`, controller) }),
      );
    }
    streams.get(`${session}`)?.enqueue(event(echo));
    const pauseMs = body === "initialize" ? 0 : called++ % 3;
    if (pauseMs === 0) return Response.json(echo, { headers: told });
    const thrice = async function* () {
      for (let at = 0; at < 3; at++) {
        yield event(echo);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    };
    return asEvents(ReadableStream.from(thrice()));
  });
}

function subjectOf(authorization: string | null): unknown {
  const payload = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? "")?.[1];
  if (payload === undefined) return null;
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" }))).sub;
}
