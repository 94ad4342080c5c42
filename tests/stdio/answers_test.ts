/** Odd token answers, callbacks and issuers, against an authorization server that says whatever a test wants. */
import assert from "node:assert/strict";
import type { LoginConfig } from "../../lib/stdio/config.ts";
import {
  bearer,
  movedClock,
  person,
  soon,
  stdioConfig,
  temporaryDir,
  testCredentials,
} from "./login_setup.ts";
import { openDoor } from "./upstream_door.ts";

interface Answers {
  /** The token endpoint's, by grant type. */
  readonly code?: () => Response;
  readonly refresh?: () => Response;
  /** More parameters of the callback, which always has the right state. */
  readonly callback?: (origin: string) => Record<string, string>;
  readonly metadata?: Record<string, unknown>;
}

const json = (value: unknown, status = 200) => () => Response.json(value, { status });

/** Logs in at a server that answers so; hands the credentials to the test. */
async function withServer(
  answers: Answers,
  work: (it: {
    headers(): Promise<string | undefined>;
    move(ms: number): void;
    asked: string[];
    pages: readonly { status: number; html: string }[];
    settled(): Promise<void>;
    logins(): number;
  }) => Promise<void>,
  login: Partial<LoginConfig> = {},
): Promise<void> {
  await using dir = await temporaryDir();
  await using door = openDoor({
    async handler(request) {
      const url = new URL(request.url);
      if (url.pathname === "/authorize") {
        const back = new URL(url.searchParams.get("redirect_uri") ?? "");
        back.search = new URLSearchParams({
          state: url.searchParams.get("state") ?? "",
          ...(answers.callback?.(door.origin) ?? { code: "c" }),
        }).toString();
        return Response.redirect(back);
      }
      if (url.pathname !== "/token") return undefined;
      const form = new URLSearchParams(await request.text());
      const answer = form.get("grant_type") === "refresh_token" ? answers.refresh : answers.code;
      return answer?.() ?? new Response(null, { status: 500 });
    },
  });
  door.documents["/.well-known/openid-configuration"] = {
    issuer: door.origin,
    authorization_endpoint: `${door.origin}/authorize`,
    token_endpoint: `${door.origin}/token`,
    ...answers.metadata,
  };
  const clock = movedClock();
  const user = person("anybody");
  const config = stdioConfig(`${dir.path}/c`, { issuerUrl: door.origin, clientId: "app", ...login });
  await using credentials = await testCredentials(config, { ...user, clock });
  await work({
    headers: async () => bearer(await credentials.headers(soon())),
    move: clock.move,
    asked: door.asked,
    pages: user.pages,
    settled: user.settled,
    logins: () => user.addresses.length,
  });
  await user.settled();
}

const refreshes = (asked: string[]) => asked.filter((path) => path.startsWith("/token")).length - 1;

const oddAnswers: Record<string, () => Response> = {
  "no expires_in": json({ access_token: "t1", token_type: "Bearer", refresh_token: "r" }),
  "expires_in 0": json({ access_token: "t1", token_type: "Bearer", refresh_token: "r", expires_in: 0 }),
  "a negative expires_in": json({ access_token: "t1", token_type: "Bearer", expires_in: -5 }),
  "expires_in as a word": json({ access_token: "t1", token_type: "Bearer", expires_in: "soon" }),
};

for (const [name, code] of Object.entries(oddAnswers)) {
  Deno.test(`${name}: the token is good until it is refused`, () =>
    withServer({ code }, async ({ headers, move, asked, logins }) => {
      assert.equal(await headers(), "t1");
      move(365 * 86_400_000);
      assert.equal(await headers(), "t1");
      assert.equal(refreshes(asked), 0);
      assert.equal(logins(), 1);
    }));
}

Deno.test("expires_in as a string of digits is a number", () =>
  withServer({
    code: json({ access_token: "t1", token_type: "bearer", refresh_token: "r", expires_in: "600" }),
    refresh: json({ access_token: "t2", expires_in: "600" }),
  }, async ({ headers, move }) => {
    assert.equal(await headers(), "t1");
    move(539_000);
    assert.equal(await headers(), "t1");
    move(2_000);
    assert.equal(await headers(), "t2");
  }));

Deno.test("a form-encoded answer, a missing token type and comma scopes are read", () =>
  withServer({
    code: () =>
      new Response("access_token=t1&scope=a%2Cb&expires_in=3600", {
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
  }, async ({ headers }) => assert.equal(await headers(), "t1")));

const refusedAnswers: Record<string, [() => Response, RegExp]> = {
  "an error inside HTTP 200": [json({ error: "invalid_grant", error_description: "no" }), /invalid_grant/],
  "no token in a success": [json({ token_type: "Bearer" }), /the token endpoint answered/],
  "a token of another type": [json({ access_token: "t", token_type: "DPoP" }), /of type "dpop"/],
  "a token with a line break": [
    json({ access_token: "t\r\nX-Evil: 1", token_type: "Bearer" }),
    /no text for a header/,
  ],
  "a page instead of an answer": [() => new Response("<html>", { status: 403 }), /HTTP 403/],
  "a redirect": [
    () => new Response(null, { status: 307, headers: { location: "https://evil.example/token" } }),
    /HTTP 307/,
  ],
};

for (const [name, [code, says]] of Object.entries(refusedAnswers)) {
  Deno.test(`${name} ends the login with a sentence and a page that says so`, () =>
    withServer({ code }, async ({ headers, pages, settled }) => {
      await assert.rejects(headers(), says);
      await settled();
      assert.equal(pages[0]?.status, 400);
      assert.match(pages[0]?.html ?? "", /The login did not work/);
      assert.doesNotMatch(pages[0]?.html ?? "", /X-Evil|<html>.*<html>/);
    }));
}

Deno.test("429, 500, 503 and nonsense at refresh keep the login; it works when the server is well again", async () => {
  const troubles = [
    json({}, 429),
    json({ error: "server_error" }, 500),
    () => new Response("gateway", { status: 503 }),
    () => new Response("<html>login</html>", { status: 200, headers: { "content-type": "text/html" } }),
    json({ error: "temporarily_unavailable" }, 400),
  ];
  for (const trouble of troubles) {
    let answer = trouble;
    await withServer({
      code: json({ access_token: "t1", refresh_token: "r", expires_in: 600 }),
      refresh: () => answer(),
    }, async ({ headers, move, logins }) => {
      await headers();
      move(600_000);
      await assert.rejects(headers());
      answer = json({ access_token: "t2", expires_in: 600 });
      move(6_000);
      assert.equal(await headers(), "t2");
      assert.equal(logins(), 1);
    });
  }
});

Deno.test("a configured client that is refused at refresh keeps its login: the secret may be mended", () => {
  let answer = json({ error: "invalid_client" }, 401);
  return withServer({
    code: json({ access_token: "t1", refresh_token: "r", expires_in: 600 }),
    refresh: () => answer(),
  }, async ({ headers, move, logins }) => {
    await headers();
    move(600_000);
    await assert.rejects(headers(), /invalid_client/);
    answer = json({ access_token: "t2", expires_in: 600 });
    move(6_000);
    assert.equal(await headers(), "t2");
    assert.equal(logins(), 1);
  });
});

const ok = json({ access_token: "t1", token_type: "Bearer" });
const announces = { authorization_response_iss_parameter_supported: true };

const issuers: Record<string, [Answers, "accepted" | RegExp]> = {
  "iss neither announced nor sent": [{ code: ok }, "accepted"],
  "iss announced and sent": [
    { code: ok, metadata: announces, callback: (iss) => ({ code: "c", iss }) },
    "accepted",
  ],
  "iss with one slash more": [
    { code: ok, callback: (origin) => ({ code: "c", iss: `${origin}/` }) },
    /from another issuer/,
  ],
  "iss announced and missing": [{ code: ok, metadata: announces }, /does not name its issuer/],
  "iss of another server": [
    { code: ok, callback: () => ({ code: "c", iss: "https://evil.example" }) },
    /from another issuer/,
  ],
  "an error from another issuer": [
    {
      code: ok,
      callback: () => ({
        error: "access_denied",
        error_description: "call 555-EVIL",
        iss: "https://evil.example",
      }),
    },
    /from another issuer/,
  ],
};

for (const [name, [answers, expected]] of Object.entries(issuers)) {
  Deno.test(`${name}: ${expected === "accepted" ? "accepted" : "refused before any token request"}`, () =>
    withServer(answers, async ({ headers, asked, pages, settled }) => {
      if (expected === "accepted") return assert.equal(await headers(), "t1");
      await assert.rejects(headers(), expected);
      await settled();
      assert.equal(asked.some((path) => path.startsWith("/token")), false);
      assert.doesNotMatch(pages[0]?.html ?? "", /555-EVIL|access_denied/);
    }));
}

Deno.test("a callback without a code is no login", async () => {
  await withServer({ code: ok, callback: () => ({}) }, async ({ headers, asked }) => {
    await assert.rejects(headers(), /the server sent no code/);
    assert.equal(asked.some((path) => path.startsWith("/token")), false);
  });
});
