/** The doctor before a real Keycloak: what it says of a client that is right, and of each thing that is not. */
import assert from "node:assert/strict";
import { startUpstream } from "../fakes/upstream.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import type { Keycloak } from "../support/keycloak.ts";
import { runDoorman } from "../support/process.ts";
import { newRealm, type Realm } from "./realm.ts";

/** The checks that failed. */
async function failures(
  realm: Realm,
  upstreamUrl: string,
  changes: Record<string, string> = {},
): Promise<string[]> {
  const { stdout, stderr } = await runDoorman(["doctor", "--json", upstreamUrl], {
    env: {
      OIDC_ISSUER_URL: realm.issuer,
      OIDC_CLIENT_ID: realm.clientId,
      OIDC_CLIENT_SECRET: realm.clientSecret,
      OIDC_REDIRECT_URL: `http://localhost:${unusedPort()}/auth/callback`,
      ...changes,
    },
  });
  const text = [stdout].flat().join("\n");
  assert.match(text, /^\{/, [stderr].flat().join("\n"));
  const { findings } = JSON.parse(text) as { findings: { level: string; check: string }[] };
  return findings.filter(({ level }) => level === "fail").map(({ check }) => check);
}

/** By claim. */
export const doctorCases: Record<string, (keycloak: Keycloak) => Promise<void>> = {
  "doctor: a client that is right has no findings, and a wrong secret, redirect URI or scope each its own":
    async (
      keycloak,
    ) => {
      await using realm = await newRealm(keycloak);
      await using upstream = startUpstream();
      const redirect = `http://localhost:${unusedPort()}/somewhere/else`;

      assert.deepEqual(await failures(realm, upstream.url), []);
      assert.deepEqual(await failures(realm, upstream.url, { OIDC_CLIENT_SECRET: "wrong" }), ["client"]);
      assert.deepEqual(await failures(realm, upstream.url, { OIDC_REDIRECT_URL: redirect }), [
        "redirect_uri",
      ]);
      assert.deepEqual(await failures(realm, upstream.url, { OIDC_SCOPES: "openid nonsense" }), ["scopes"]);
    },
};
