import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { IdpConfig } from "../../lib/idp/config.ts";
import { type Idp, IdpError, WrongOrganization } from "../../lib/idp/idp.ts";
import { openIdp } from "../../lib/idp/oidc.ts";
import { buildIdpConfig, type IdpSettings } from "../../lib/idp/presets.ts";
import { startCognito } from "../fakes/cognito.ts";
import { startEntra } from "../fakes/entra.ts";
import { startGoogle } from "../fakes/google.ts";
import type { StrictIdp } from "../fakes/strict_idp.ts";
import { callback, logInAt, startAttempt } from "../support/idp_login.ts";

const fails = (kind: string, reason: string) => (error: unknown) =>
  error instanceof IdpError && error.kind === kind && error.reason === reason;
const client = { clientId: "the-client", clientSecret: "the~secret.-_" };
const tenantId = "11111111-2222-3333-4444-555555555555";

function build(provider: IdpConfig["provider"], settings: IdpSettings): IdpConfig {
  const problems: string[] = [];
  const config = buildIdpConfig(provider, settings, problems);
  assert.deepEqual(problems, []);
  return config ?? assert.fail("no configuration");
}

/** Opens the preset's IdP at the fake, plays, and sees that the fake had nothing to refuse. */
async function at(
  fake: StrictIdp,
  provider: IdpConfig["provider"],
  settings: IdpSettings,
  play: (idp: Idp) => Promise<void>,
): Promise<void> {
  fake.redirectUris.push(callback);
  const http = openHttpClient();
  try {
    await play(openIdp(build(provider, settings), { http, clock: systemClock, log: silentLog }));
  } finally {
    http.close();
  }
}

Deno.test("google: offline access in its dialect, opaque access tokens, the old refresh token kept", async () => {
  await using google = await startGoogle({ ...client, agreedBefore: true });
  const settings = {
    ...client,
    issuerUrl: google.issuer,
    scopes: ["openid", "email", "profile", "offline_access"],
  };
  await at(google, "google", { ...settings, audience: "https://mcp.example" }, async (idp) => {
    const { identity, tokens } = await logInAt(idp, "alice");
    const refreshed = await idp.refresh(tokens.refreshToken ?? "");
    const again = await startAttempt(idp, { hasRefreshToken: true });
    const other = await startAttempt(idp, { selectAccount: true });

    assert.equal(identity.email, "alice@example.com");
    assert.equal(identity.name, "Alice \u00c4ls\u00e9n \u{1F98A}");
    assert.deepEqual(identity.groups, []);
    assert.ok(tokens.refreshToken);
    assert.equal(refreshed.tokens.refreshToken, tokens.refreshToken);
    assert.equal(refreshed.identity?.subject, identity.subject);
    assert.equal(again.url.searchParams.get("prompt"), null);
    assert.equal(again.url.searchParams.get("access_type"), "offline");
    assert.equal(other.url.searchParams.get("prompt"), "consent select_account");
  });
  assert.deepEqual(google.refusals, []);
});

Deno.test("google: a hosted domain is asked for and checked in the id_token, not in the e-mail", async () => {
  await using good = await startGoogle({ ...client, hostedDomain: "example.com" });
  await at(
    good,
    "google",
    { ...client, issuerUrl: good.issuer, googleHostedDomain: "Example.com" },
    async (idp) => {
      assert.equal((await startAttempt(idp)).url.searchParams.get("hd"), "Example.com");
      assert.equal((await logInAt(idp, "alice")).identity.email, "alice@example.com");
    },
  );
  for (const hostedDomain of ["evil.example", undefined]) {
    const account = hostedDomain === undefined ? {} : { hostedDomain };
    await using other = await startGoogle({ ...client, ...account, email: "eve@example.com" });
    await at(
      other,
      "google",
      { ...client, issuerUrl: other.issuer, googleHostedDomain: "example.com" },
      (idp) =>
        assert.rejects(
          logInAt(idp, "eve"),
          (error) =>
            fails("dead", "hosted_domain_mismatch")(error) && error instanceof WrongOrganization &&
            error.account === "eve@example.com",
        ),
    );
  }
});

Deno.test("azure: qualified scopes to Entra, plain ones back, offline_access, no resource", async () => {
  await using entra = await startEntra({
    ...client,
    tenantId,
    apiScopes: ["mcp.read", "mcp.write"],
    groups: ["g1"],
  });
  const settings = {
    ...client,
    azureTenantId: tenantId,
    azureAuthority: entra.origin,
    scopes: ["mcp.read", "mcp.write"],
  };
  await at(entra, "azure", { ...settings, audience: "api://the-client" }, async (idp) => {
    const { identity, tokens } = await logInAt(idp, "alice");
    const refreshed = await idp.refresh(tokens.refreshToken ?? "");

    assert.deepEqual(identity.groups, ["g1"]);
    assert.equal(identity.emailVerified, undefined);
    assert.equal(tokens.scope, "openid profile email mcp.read mcp.write");
    assert.notEqual(refreshed.tokens.refreshToken, tokens.refreshToken);
  });
  assert.deepEqual(entra.refusals, []);
  assert.equal(
    entra.authorizeRequests[0]?.get("scope"),
    "openid profile email offline_access api://the-client/mcp.read api://the-client/mcp.write",
  );
  assert.ok(
    [...entra.authorizeRequests, ...entra.tokenRequests].every((request) => !request.has("resource")),
  );
  // Without them a refresh may answer with a token for another API.
  assert.equal(entra.tokenRequests.length, 2);
  assert.ok(
    entra.tokenRequests.every((form) => form.get("scope") === entra.authorizeRequests[0]?.get("scope")),
  );
});

Deno.test("azure: issuers of v1 and v2, another tenant's user, an own identifier URI, no API at all", async () => {
  await using v1 = await startEntra({ ...client, tenantId, v1: true, withoutEmail: true });
  await at(v1, "azure", { ...client, azureTenantId: tenantId, azureAuthority: v1.origin }, async (idp) => {
    const { identity } = await logInAt(idp, "alice");
    assert.equal(identity.email, undefined);
    assert.equal(identity.name, "Alice Contoso");
  });

  await using guest = await startEntra({
    ...client,
    tenantId,
    tokenTenantId: "99999999-2222-3333-4444-555555555555",
  });
  await at(
    guest,
    "azure",
    { ...client, azureTenantId: tenantId, azureAuthority: guest.origin },
    (idp) => assert.rejects(logInAt(idp, "mallory"), fails("dead", "tenant_mismatch")),
  );

  const identifierUri = "https://contoso.example/mcp";
  await using own = await startEntra({ ...client, tenantId, identifierUri, apiScopes: ["use"] });
  const settings = {
    ...client,
    azureTenantId: tenantId,
    azureAuthority: own.origin,
    azureIdentifierUri: identifierUri,
  };
  await at(own, "azure", { ...settings, scopes: ["use", `${identifierUri}/.default`] }, async (idp) => {
    assert.equal((await logInAt(idp, "alice")).tokens.scope, "openid profile email use .default");
  });
  assert.deepEqual([...v1.refusals, ...own.refusals], []);
});

Deno.test("azure: groups that were left out for their number are noticed", async () => {
  await using entra = await startEntra({ ...client, tenantId, overage: true });
  await at(
    entra,
    "azure",
    { ...client, azureTenantId: tenantId, azureAuthority: entra.origin },
    async (idp) => {
      const { identity } = await logInAt(idp, "alice");
      assert.deepEqual([identity.groups, identity.groupsMalformed], [[], true]);
    },
  );
});

Deno.test("azure: a tenant named by its domain is known by its id from then on", () => {
  const config = build("azure", { ...client, azureTenantId: "contoso.onmicrosoft.com" });

  assert.equal(config.issuerUrl, "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0");
  assert.ok(config.quirks.issuerPattern?.test(`https://login.microsoftonline.com/${tenantId}/v2.0`));
  for (
    const issuer of [
      `https://login.microsoftonline.com/${tenantId}/v2.0/`,
      `https://login.microsoftonline.com.evil.example/${tenantId}/v2.0`,
      `https://loginXmicrosoftonline.com/${tenantId}/v2.0`,
      "https://login.microsoftonline.com/{tenantid}/v2.0",
    ]
  ) assert.ok(!config.quirks.issuerPattern?.test(issuer), issuer);
});

Deno.test("aws-cognito: only the scopes it allows, groups in their own claim, the old refresh token kept", async () => {
  await using cognito = await startCognito({
    ...client,
    userPoolId: "eu-central-1_Ab",
    groups: ["a", "b"],
    emailVerified: "true",
  });
  const settings = {
    ...client,
    cognitoUserPoolId: "eu-central-1_Ab",
    cognitoRegion: "eu-central-1",
    issuerUrl: cognito.issuer,
  };
  await at(
    cognito,
    "aws-cognito",
    { ...settings, scopes: ["openid", "email", "profile", "offline_access"] },
    async (idp) => {
      const { identity, tokens } = await logInAt(idp, "alice");
      const refreshed = await idp.refresh(tokens.refreshToken ?? "");

      assert.deepEqual(identity.groups, ["a", "b"]);
      assert.equal(identity.emailVerified, true);
      assert.equal(refreshed.tokens.refreshToken, tokens.refreshToken);
    },
  );
  assert.deepEqual(cognito.refusals, []);
});

Deno.test("aws-cognito: email_verified as the word false is not verified", async () => {
  await using cognito = await startCognito({ ...client, userPoolId: "p", emailVerified: "false" });
  const settings = {
    ...client,
    cognitoUserPoolId: "p",
    cognitoRegion: "eu-central-1",
    issuerUrl: cognito.issuer,
  };
  await at(cognito, "aws-cognito", settings, async (idp) => {
    assert.equal((await logInAt(idp, "alice")).identity.emailVerified, false);
  });
});

Deno.test("the issuers of the real providers follow from their settings", () => {
  assert.equal(build("google", client).issuerUrl, "https://accounts.google.com");
  assert.equal(
    build("aws-cognito", { ...client, cognitoUserPoolId: "us-east-1_X", cognitoRegion: "us-east-1" })
      .issuerUrl,
    "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_X",
  );
  assert.equal(
    build("azure", {
      ...client,
      azureTenantId: tenantId,
      azureAuthority: "https://login.microsoftonline.us/",
    }).issuerUrl,
    `https://login.microsoftonline.us/${tenantId}/v2.0`,
  );
  assert.equal(
    build("oidc", { ...client, issuerUrl: "https://idp.example/realms/r/" }).issuerUrl,
    "https://idp.example/realms/r/",
  );
});

const incomplete: [IdpConfig["provider"], IdpSettings, RegExp[]][] = [
  ["oidc", {}, [/OIDC_ISSUER_URL is required/, /OIDC_CLIENT_ID is required/]],
  ["oidc", { ...client, issuerUrl: "http://idp.example" }, [/OIDC_ISSUER_URL must be an https URL/]],
  ["google", {}, [/OIDC_CLIENT_ID is required/, /OIDC_CLIENT_SECRET is required/]],
  ["azure", {}, [/AZURE_TENANT_ID is required/, /OIDC_CLIENT_ID is required/]],
  ["azure", { ...client, azureTenantId: "common" }, [/AZURE_TENANT_ID must be one tenant/]],
  ["azure", { ...client, azureTenantId: "a/../b" }, [/AZURE_TENANT_ID must be a tenant/]],
  ["aws-cognito", {}, [/COGNITO_USER_POOL_ID/, /COGNITO_AWS_REGION/, /OIDC_CLIENT_ID/, /OIDC_CLIENT_SECRET/]],
  ["aws-cognito", { ...client, cognitoUserPoolId: "p", cognitoRegion: "x.evil/" }, [
    /COGNITO_AWS_REGION must be/,
  ]],
];
for (const [provider, settings, expected] of incomplete) {
  Deno.test(`${provider} says all that is missing or wrong in ${JSON.stringify(settings)}`, () => {
    const problems: string[] = [];
    assert.equal(buildIdpConfig(provider, settings, problems), undefined);
    assert.equal(problems.length, expected.length);
    expected.forEach((pattern, at) => assert.match(problems[at] ?? "", pattern));
  });
}
