import assert from "node:assert/strict";
import fc from "fast-check";
import { isRegisteredRedirect, refusedRedirect } from "../../lib/inbound/bridge/redirects.ts";
import { failureTable } from "../../lib/inbound/bridge/failure_table.ts";
import { isOurResource } from "../../lib/inbound/bridge/authorize_request.ts";
import { clientUrl } from "../../lib/inbound/bridge/answers.ts";
import { isAllowed } from "../../lib/inbound/allow.ts";
import { keepText, readKeptText } from "../../lib/inbound/bridge/kept_text.ts";
import { standingOf } from "../../lib/inbound/bridge/family.ts";
import {
  authorizeQuery,
  base,
  bridgeConfig,
  bridgeKit,
  callbackUri,
  Jar,
  login,
  postForm,
  refresh,
  registerClient,
} from "./kit.ts";

const config = bridgeConfig();

/** Text that looks like a URI often enough to get somewhere. */
const uriLike = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.tuple(
    fc.constantFrom(
      "http",
      "https",
      "HTTPS",
      "javascript",
      "data",
      "file",
      "cursor",
      "vscode",
      "com.app",
      "ftp",
    ),
    fc.constantFrom(":", ":/", "://", ":///", ":\\\\"),
    fc.constantFrom(
      "127.0.0.1",
      "localhost",
      "[::1]",
      "0x7f.1",
      "2130706433",
      "evil.example",
      "localhost.evil.example",
      "u@h",
      "",
    ),
    fc.constantFrom("", ":80", ":99999", ":x"),
    fc.string({ maxLength: 20 }),
  ).map((parts) => parts.join("")),
);

Deno.test("every failure is described in one printable sentence of at most 200 characters", () => {
  for (const [cause, [, , description]] of Object.entries(failureTable)) {
    assert.match(description, /^[\x20-\x7e]{5,200}$/, cause);
  }
});

Deno.test("refusedRedirect(): what is allowed is printable, absolute, without fragment, user or script", () => {
  fc.assert(
    fc.property(uriLike, (uri) => {
      if (refusedRedirect(uri, config) !== undefined) return;
      assert.match(uri, /^[\x21-\x7e]{1,512}$/);
      const url = new URL(uri);
      assert.equal(url.username + url.password, "");
      assert.ok(!uri.includes("#"));
      assert.ok(!["javascript:", "data:", "file:", "blob:", "vbscript:", "ftp:"].includes(url.protocol));
      if (url.protocol === "http:") {
        assert.match(url.hostname, /^(localhost|.*\.localhost|127\..*|\[::1\])\.?$/);
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("isRegisteredRedirect(): nothing matches but the same text, or the same loopback place on another port", () => {
  const registered = ["http://127.0.0.1:3000/cb?x=1", "https://client.example/callback", "cursor://app/cb"];
  fc.assert(
    fc.property(fc.oneof(uriLike, fc.constantFrom(...registered).chain(mutated)), (uri) => {
      if (!isRegisteredRedirect(uri, registered) || registered.includes(uri)) return;
      assert.match(uri, /^http:\/\/127\.0\.0\.1(:\d{1,5})?\/cb\?x=1$/i);
    }),
    { numRuns: 5_000 },
  );
});

/** A text with one character changed, added or taken away. */
function mutated(text: string): fc.Arbitrary<string> {
  return fc.tuple(fc.nat(text.length), fc.string({ unit: "grapheme", maxLength: 3 }), fc.nat(2))
    .map(([at, insert, cut]) => text.slice(0, at) + insert + text.slice(at + cut));
}

Deno.test("isOurResource(): every tolerated spelling, and no other", () => {
  const spelling = fc.tuple(
    fc.constantFrom("https", "HTTPS", "Https"),
    fc.constantFrom("door.example", "DOOR.example", "Door.Example"),
    fc.constantFrom("", ":443"),
    fc.constantFrom("", "/", "/mcp", "/mcp/", "/mcp//"),
  ).map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`);
  fc.assert(fc.property(spelling, (text) => isOurResource(text, config)));
  fc.assert(
    fc.property(fc.oneof(uriLike, spelling.chain(mutated)), (text) => {
      if (!isOurResource(text, config)) return;
      const url = new URL(text);
      assert.equal(url.origin, base);
      assert.match(url.pathname, /^\/(mcp)?\/*$/);
      assert.equal(url.search + url.hash + url.username, "");
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("clientUrl(): whatever the state, the address stays the client's and the state comes back whole", async () => {
  const { parts } = await bridgeKit();
  const uris = fc.constantFrom(
    callbackUri,
    `${callbackUri}?a=b`,
    `${callbackUri}?`,
    "cursor://app/cb",
    "http://127.0.0.1:1/",
  );
  fc.assert(
    fc.property(uris, fc.string({ unit: "binary", maxLength: 200 }), (uri, state) => {
      const text = clientUrl(parts, { uri, state }, { code: "the-code" });
      assert.ok(text.startsWith(uri));
      assert.match(text, /^[\x21-\x7e]+$/);
      const parameters = new URL(text).searchParams;
      assert.equal(parameters.get("state"), state.toWellFormed());
      assert.equal(parameters.get("iss"), base);
      assert.deepEqual(parameters.getAll("code"), ["the-code"]);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("isAllowed(): lists let nobody in by an empty, unverified or doubled address", () => {
  const allow = {
    subjects: ["s"],
    emails: ["a@ok.example"],
    domains: ["ok.example"],
    groups: ["g"],
    requiredScopes: [],
  };
  const email = fc.oneof(
    fc.emailAddress(),
    fc.string({ maxLength: 20 }),
    fc.constantFrom("a@b@ok.example", "@ok.example", "a@ok.example."),
  );
  fc.assert(
    fc.property(email, fc.option(fc.boolean(), { nil: undefined }), (address, verified) => {
      const who = {
        subject: "x",
        email: address,
        groups: [""],
        ...(verified === undefined ? {} : { emailVerified: verified }),
      };
      if (isAllowed(who, allow)) assert.ok(/^[^@]+@ok\.example$/i.test(address) && verified !== false);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("keepText(): every text comes back whole, in pieces that every store takes", async () => {
  const { parts, store } = await bridgeKit();
  let longest = 0;
  const put = store.put;
  parts.store.put = (key, value, ttlMs) => {
    longest = Math.max(longest, JSON.stringify(value).length);
    return put(key, value, ttlMs);
  };
  const texts = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 12_000, size: "max" }),
    fc.constantFrom("€".repeat(9_000), '"'.repeat(9_000), "😀".repeat(5_000), ""),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      assert.equal(await readKeptText(parts, await keepText(parts, text, 60_000)), text);
    }),
    { numRuns: 60 },
  );
  assert.ok(longest < 60_000);
});

Deno.test("standingOf(): only the current token rotates, only a fresh retired one is forgiven", () => {
  const family = fc.record({
    current: fc.option(fc.constantFrom("a", "b"), { nil: null }),
    retired: fc.array(fc.record({ jti: fc.constantFrom("a", "b", "c"), atMs: fc.nat(200) }), {
      maxLength: 4,
    }),
  });
  const revoked = fc.option(fc.constant("why"), { nil: undefined });
  fc.assert(
    fc.property(
      family,
      revoked,
      fc.constantFrom("a", "b", "c", "d"),
      fc.nat(200),
      (state, why, jti, graceMs) => {
        const standing = standingOf(why === undefined ? state : { ...state, revoked: why }, jti, {
          nowMs: 200,
          graceMs,
        });
        if (why !== undefined) assert.equal(standing, "revoked");
        else if (state.current === jti) assert.equal(standing, "current");
        else {
          const fresh = state.retired.find((token) => token.jti === jti);
          assert.equal(standing, fresh !== undefined && 200 - fresh.atMs < graceMs ? "in_grace" : "reused");
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("no flipped character of any sealed text is taken for good", async () => {
  const kit = await bridgeKit();
  const { clientId, tokens } = await login(kit.app);
  const flip = (text: string, at: number, by: number) => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const position = at % text.length;
    const now = alphabet.indexOf(text[position] ?? "");
    return text.slice(0, position) + alphabet[(now + 1 + by % 63) % alphabet.length] +
      text.slice(position + 1);
  };

  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), async (at, by) => {
      await assert.rejects(kit.bridge.authenticate(flip(tokens.access_token, at, by)), {
        code: "invalid_token",
      });
      const refused = await refresh(kit.app, clientId, flip(tokens.refresh_token, at, by));
      assert.equal(refused.status, 400);
      const page = await kit.app.request(`/authorize?${await authorizeQuery(flip(clientId, at, by))}`);
      assert.equal(page.status, 400);
    }),
    { numRuns: 300 },
  );
  assert.equal((await refresh(kit.app, clientId, tokens.refresh_token)).status, 200);
});

Deno.test("no Authorization header gets past the token endpoint, and none breaks it", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app, { token_endpoint_auth_method: "client_secret_basic" });
  const value = fc.oneof(
    fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      maxLength: 40,
    }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.toBase64()),
    fc.string({ maxLength: 20 }).map((secret) =>
      new TextEncoder().encode(`${client_id}:${secret}`).toBase64()
    ),
  );
  const scheme = fc.constantFrom("Basic ", "basic ", "BASIC  ", "Bearer ", "");

  await fc.assert(
    fc.asyncProperty(scheme, value, async (name, text) => {
      const headers = { authorization: name + text };
      const response = await postForm(kit.app, "/token", {
        grant_type: "refresh_token",
        refresh_token: "x",
        client_id,
      }, headers);
      assert.equal(response.status, 401);
      assert.equal((await response.json()).error, "invalid_client");
    }),
    { numRuns: 500 },
  );
});

Deno.test("no query breaks authorize or callback, and none gets a redirect to a place that is not registered", async () => {
  const kit = await bridgeKit();
  const { client_id } = await registerClient(kit.app);
  const names = fc.constantFrom(
    "client_id",
    "redirect_uri",
    "state",
    "code",
    "error",
    "scope",
    "resource",
    "response_type",
    "x",
  );
  const values = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    uriLike,
    fc.constantFrom(client_id, callbackUri, "code"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, values), { maxLength: 8 }), async (pairs) => {
      const query = new URLSearchParams(pairs.map(([name, value]) => [name, value.toWellFormed()]));
      for (const path of ["/authorize", "/auth/callback"]) {
        const response = await kit.app.request(`${path}?${query}`, { headers: new Jar().headers() });
        assert.ok([200, 302, 400].includes(response.status), String(response.status));
        const location = response.headers.get("location");
        if (location !== null) assert.ok(location.startsWith(callbackUri));
      }
    }),
    { numRuns: 500 },
  );
});
