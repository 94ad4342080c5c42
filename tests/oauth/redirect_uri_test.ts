import assert from "node:assert/strict";
import fc from "fast-check";
import { isLoopbackRedirect, matchRedirectUri, redirectUriRefusal } from "../../lib/oauth/redirect_uri.ts";

const strict = { hosts: [], schemes: [] };
const anyHost = { hosts: ["*"], schemes: ["*"] };

/** Recorded from the clients. */
const ofClients = [
  "https://claude.ai/api/mcp/auth_callback",
  "https://claude.com/api/mcp/auth_callback",
  "https://chatgpt.com/connector/oauth/abc-123",
  "cursor://anysphere.cursor-mcp/oauth/callback",
  "cursor://anysphere.cursor-retrieval/oauth/user-x/callback",
  "https://www.cursor.com/agents/mcp/oauth/callback",
  "http://localhost:8787/callback",
  "http://127.0.0.1:33418/",
  "http://127.0.0.1/",
  "https://vscode.dev/redirect",
  "https://insiders.vscode.dev/redirect",
  "https://global.consent.azure-apim.net/redirect/conn-1",
  "http://localhost:7777/oauth/callback",
  "http://localhost:6274/oauth/callback/debug",
  "http://[::1]:4000/cb",
  "vscode://dev.example/callback",
];
for (const uri of ofClients) {
  Deno.test(`redirectUriRefusal() lets "${uri}" be registered`, () => {
    assert.equal(redirectUriRefusal(uri, strict), undefined);
  });
}

const never = [
  "javascript:alert(1)",
  "JavaScript://claude.ai/%0aalert(1)",
  "data:text/html,x",
  "file:///etc/passwd",
  "blob:https://claude.ai/1",
  "vbscript:x",
  "https://claude.ai/cb#",
  "https://claude.ai/cb#frag",
  "https://user@claude.ai/cb",
  "https://@claude.ai/cb",
  "http://127.0.0.1@evil.example/cb",
  "http://localhost.evil.example/cb",
  "http://evil.localhost/cb",
  "http://evil.example/cb",
  "https://claude.ai/*",
  "https://*.claude.ai/cb",
  "https:claude.ai/cb",
  "https:///claude.ai/cb",
  "https://claude.ai\\@evil.example/cb",
  " https://claude.ai/cb",
  "https://claude.ai/c b",
  "https://claude.ai/c\nb",
  "https://claude.ai/c\u00e4",
  "/cb",
  "",
  "claude.ai/cb",
  `https://claude.ai/${"a".repeat(600)}`,
];
for (const uri of never) {
  Deno.test(`redirectUriRefusal() refuses ${JSON.stringify(uri.slice(0, 60))} under any policy`, () => {
    assert.notEqual(redirectUriRefusal(uri, anyHost), undefined);
  });
}

Deno.test("redirectUriRefusal() takes other https hosts and schemes only when the policy names them", () => {
  const refused = (uri: string, hosts: string[], schemes: string[]) =>
    redirectUriRefusal(uri, { hosts, schemes }) !== undefined;

  assert.equal(refused("https://app.example/cb", [], []), true);
  assert.equal(refused("https://app.example/cb", ["app.example"], []), false);
  assert.equal(refused("https://APP.example./cb", ["app.example"], []), false);
  assert.equal(refused("https://a.app.example/cb", ["app.example"], []), true);
  assert.equal(refused("https://a.app.example/cb", ["*.app.example"], []), false);
  assert.equal(refused("https://evilapp.example/cb", ["*.app.example"], []), true);
  assert.equal(refused("https://app.example/cb", ["*"], []), false);
  assert.equal(refused("http://app.example/cb", ["*"], []), true);
  assert.equal(refused("com.app:/cb", [], []), true);
  assert.equal(refused("com.app:/cb", [], ["com.app"]), false);
  assert.equal(refused("com.app:/cb", [], ["*"]), false);
  assert.equal(refused("app:/cb", [], ["*"]), true);
});

Deno.test("redirectUriRefusal() takes no scheme that runs code or reads files, even when the policy names it", () => {
  const schemes = ["javascript", "data", "file", "vbscript", "blob"];
  for (const scheme of schemes) {
    assert.notEqual(redirectUriRefusal(`${scheme}:x`, { hosts: ["*"], schemes }), undefined, scheme);
  }
});

Deno.test("redirectUriRefusal() never repeats what was sent and never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl({ withFragments: true })), (uri) => {
    const sentence = redirectUriRefusal(uri, strict);
    if (sentence !== undefined) assert.match(sentence, /^A redirect URI [a-zA-Z0-9 ]+$/);
  }));
});

Deno.test("matchRedirectUri() compares exactly, but for the port of a loopback redirect", () => {
  const registered = [
    "http://127.0.0.1:3000/cb",
    "http://localhost/callback?a=1",
    "https://claude.ai/cb",
    "http://[::1]/cb",
  ];
  const match = (uri: string) => matchRedirectUri(uri, registered);

  assert.equal(match("https://claude.ai/cb"), "https://claude.ai/cb");
  assert.equal(match("http://127.0.0.1:51234/cb"), "http://127.0.0.1:3000/cb");
  assert.equal(match("http://127.0.0.1/cb"), "http://127.0.0.1:3000/cb");
  assert.equal(match("http://localhost:51763/callback?a=1"), "http://localhost/callback?a=1");
  assert.equal(match("http://[::1]:9/cb"), "http://[::1]/cb");
  for (
    const uri of [
      "http://localhost:51234/cb",
      "http://127.0.0.1:51234/cb2",
      "http://127.0.0.1:51234/cb/",
      "http://127.0.0.1:51234/%63b",
      "http://127.0.0.1:51234/x/../cb",
      "http://127.0.0.1:51234/cb?x=1",
      "http://127.0.0.1:51234/cb#f",
      "http://127.0.0.2:3000/cb",
      "http://127.0.0.1:99999999/cb",
      "https://127.0.0.1:3000/cb",
      "http://user@127.0.0.1:3000/cb",
      "http://127.0.0.1:3000@evil.example/cb",
      "http://localhost.evil.example/callback?a=1",
      "http://localhost:1/callback?a=2",
      "https://claude.ai:443/cb",
      "https://claude.ai/cb/",
      "https://CLAUDE.ai/cb",
      "",
    ]
  ) assert.equal(match(uri), undefined, uri);
});

Deno.test("matchRedirectUri() finds nothing in an empty list and returns only what was registered", () => {
  const uris = fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom(...ofClients));
  fc.assert(fc.property(uris, fc.array(uris), (uri, registered) => {
    const found = matchRedirectUri(uri, registered);
    assert.ok(found === undefined ? !registered.includes(uri) : registered.includes(found));
    if (found !== undefined && found !== uri) assert.ok(isLoopbackRedirect(uri) && isLoopbackRedirect(found));
  }));
});
