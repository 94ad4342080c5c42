/** Texts made to take long: what comes from outside is judged in a time that grows with its length and no faster. */
import assert from "node:assert/strict";
import { withoutTrailingSlashes } from "../../lib/base/slashes.ts";
import { parseChallenges } from "../../lib/oauth/challenge.ts";
import { matchRedirectUri, redirectUriRefusal } from "../../lib/oauth/redirect_uri.ts";
import { canonicalResource, coversServer } from "../../lib/oauth/resource.ts";
import { parseScope } from "../../lib/oauth/scope.ts";
import { sameIssuer, serverMetadataUrls } from "../../lib/oauth/server_metadata.ts";
import { readMembers } from "../../lib/oauth/token_response.ts";

const many = 200_000;
const slashes = `https://a.example/${"/".repeat(many)}x`;

const work: Record<string, () => unknown> = {
  "slashes in a resource": () => canonicalResource(slashes),
  "slashes in a published resource": () => coversServer(slashes, slashes),
  "slashes in an issuer": () => [sameIssuer(slashes, "https://a.example"), serverMetadataUrls(slashes)],
  "dots in a resource": () => canonicalResource(`https://a.example/${"../".repeat(many)}`),
  "quotes in a challenge": () => parseChallenges(`Bearer a="${'\\\\"'.repeat(many)}`),
  "names in a challenge": () => parseChallenges("a ".repeat(many)),
  "equals signs in a challenge": () => parseChallenges(`Bearer ${"=".repeat(many)}`),
  "digits in a redirect URI": () =>
    matchRedirectUri(`http://127.0.0.1:${"1".repeat(many)}/`, ["http://127.0.0.1/"]),
  "a long redirect URI": () =>
    redirectUriRefusal(`http://localhost/${"%2f".repeat(many)}`, { hosts: [], schemes: [] }),
  "many scopes": () => parseScope("a ".repeat(many)),
  "an endless form": () => readMembers("a".repeat(many)),
};
for (const [what, run] of Object.entries(work)) {
  Deno.test(`${what} are judged in linear time`, () => {
    const start = performance.now();
    run();
    // Quadratic work on texts of this length takes a minute.
    assert.ok(performance.now() - start < 3_000);
  });
}

Deno.test("withoutTrailingSlashes() takes off all slashes at the end and nothing else", () => {
  assert.equal(withoutTrailingSlashes("https://a//b//"), "https://a//b");
  assert.equal(withoutTrailingSlashes("///"), "");
  assert.equal(withoutTrailingSlashes(""), "");
  assert.equal(withoutTrailingSlashes("/a"), "/a");
});
