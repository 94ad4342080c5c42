import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalResource, coversServer, matchesResource } from "../../lib/oauth/resource.ts";

const ours = "https://mcp.example.com/mcp";

for (
  const spelling of [
    ours,
    `${ours}/`,
    "HTTPS://MCP.example.COM/mcp",
    "https://mcp.example.com:443/mcp",
    "https://mcp.example.com:443/mcp//",
    "https://mcp.example.com",
    "https://mcp.example.com/",
    "https://MCP.EXAMPLE.COM:443",
  ]
) {
  Deno.test(`matchesResource() takes "${spelling}" for ours`, () =>
    assert.equal(matchesResource(spelling, ours), true));
}

for (
  const spelling of [
    "http://mcp.example.com/mcp",
    "https://mcp.example.com:8443/mcp",
    "https://mcp.example.com/MCP",
    "https://mcp.example.com/mcp2",
    "https://mcp.example.com/mcp/x",
    "https://mcp.example.com/mcp?x=1",
    "https://mcp.example.com/mcp#x",
    "https://mcp.example.com/x/../mcp",
    "https://mcp.example.com/x/%2e%2e/mcp",
    "https://mcp.example.com\\mcp",
    "https://user@mcp.example.com/mcp",
    "https://mcp.example.com.evil.example/mcp",
    "https://evil.example/mcp",
    "mcp.example.com/mcp",
    "urn:mcp",
    "",
  ]
) {
  Deno.test(`matchesResource() does not take "${spelling}" for ours`, () =>
    assert.equal(matchesResource(spelling, ours), false));
}

Deno.test("canonicalResource() is its own canonical form and never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.webUrl(), fc.string()), (text) => {
    const once = canonicalResource(text);
    if (once !== undefined) assert.equal(canonicalResource(once), once);
  }));
});

Deno.test("coversServer() wants the same origin and a path at or above the server's", () => {
  assert.equal(coversServer("https://a.example/mcp", "https://a.example/mcp"), true);
  assert.equal(coversServer("https://a.example", "https://a.example/mcp"), true);
  assert.equal(coversServer("https://a.example/", "https://a.example/x/mcp?y=1"), true);
  assert.equal(coversServer("https://a.example/mc", "https://a.example/mcp"), false);
  assert.equal(coversServer("https://a.example/mcp/deeper", "https://a.example/mcp"), false);
  assert.equal(coversServer("https://b.example/mcp", "https://a.example/mcp"), false);
  assert.equal(coversServer("http://a.example/mcp", "https://a.example/mcp"), false);
  assert.equal(coversServer("nonsense", "https://a.example/mcp"), false);
});
