/** How the documents of well-known identity providers are found and judged, when the user has named the issuer. */
import assert from "node:assert/strict";
import type { HttpClient } from "../../lib/base/http_client.ts";
import { authorizeUrl } from "../../lib/stdio/authorize_url.ts";
import { configuredDoor, requirePkce } from "../../lib/stdio/discovery.ts";
import type { LoginContext } from "../../lib/stdio/login_context.ts";
import { stdioConfig } from "./login_setup.ts";

/** A network in which only these documents exist. */
function context(issuerUrl: string, documents: Record<string, unknown>): LoginContext & { asked: string[] } {
  const asked: string[] = [];
  const http: HttpClient = {
    fetch(input) {
      asked.push(String(input));
      const found = documents[String(input)];
      return Promise.resolve(
        found === undefined ? new Response(null, { status: 404 }) : Response.json(found),
      );
    },
    close() {},
  };
  const config = stdioConfig("/nowhere", { issuerUrl, clientId: "app" }).login;
  const signal = new AbortController().signal;
  return { config, http, signal, asked } as unknown as LoginContext & { asked: string[] };
}

const wellKnown = "/.well-known/openid-configuration";

function metadata(issuer: string, base: string, more: Record<string, unknown> = {}) {
  return { issuer, authorization_endpoint: `${base}/authorize`, token_endpoint: `${base}/token`, ...more };
}

const entra = "https://login.microsoftonline.com";
const cognito = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool";

const accepted: Record<string, { typed: string; at: string; document: Record<string, unknown> }> = {
  "an issuer typed with a slash that the document has not": {
    typed: "https://idp.example/realms/x/",
    at: `https://idp.example/realms/x${wellKnown}`,
    document: metadata("https://idp.example/realms/x", "https://idp.example"),
  },
  "an issuer typed without the slash that the document has (Auth0)": {
    typed: "https://tenant.eu.auth0.com",
    at: `https://tenant.eu.auth0.com${wellKnown}`,
    document: metadata("https://tenant.eu.auth0.com/", "https://tenant.eu.auth0.com"),
  },
  "Entra's shared tenant with its template for an issuer": {
    typed: `${entra}/common/v2.0`,
    at: `${entra}/common/v2.0${wellKnown}`,
    document: metadata(`${entra}/{tenantid}/v2.0`, `${entra}/common/oauth2/v2.0`),
  },
  "Entra's first-version issuer on another host": {
    typed: `${entra}/11111111-2222-3333-4444-555555555555`,
    at: `${entra}/11111111-2222-3333-4444-555555555555${wellKnown}`,
    document: metadata("https://sts.windows.net/11111111-2222-3333-4444-555555555555/", entra),
  },
  "Cognito, whose endpoints are on another domain": {
    typed: cognito,
    at: `${cognito}${wellKnown}`,
    document: metadata(cognito, "https://tools.auth.eu-west-1.amazoncognito.com/oauth2"),
  },
  "a server with RFC 8414 metadata only": {
    typed: "https://as.example/tenant",
    at: "https://as.example/.well-known/oauth-authorization-server/tenant",
    document: metadata("https://as.example/tenant", "https://as.example"),
  },
};

for (const [name, { typed, at, document }] of Object.entries(accepted)) {
  Deno.test(`${name} is found, and needs to say nothing about PKCE`, async () => {
    const it = context(typed, { [at]: document });

    const door = await configuredDoor(it, typed);

    assert.equal(door.server.issuer, document.issuer);
    assert.deepEqual(door.scopes, ["openid", "profile", "email"]);
    assert.equal(door.resource, undefined);
    requirePkce(it, door.server);
  });
}

const refused: Record<string, { typed: string; issuer: string }> = {
  "another issuer": { typed: "https://idp.example", issuer: "https://evil.example" },
  "Entra's template at another host": { typed: "https://idp.example", issuer: `${entra}/{tenantid}/v2.0` },
  "Entra's first-version issuer at another host": {
    typed: "https://idp.example",
    issuer: "https://sts.windows.net/1/",
  },
  "a path that only begins alike": { typed: "https://idp.example/a", issuer: "https://idp.example/ab" },
};

for (const [name, { typed, issuer }] of Object.entries(refused)) {
  Deno.test(`a document that names ${name} is refused`, async () => {
    const it = context(typed, { [typed + wellKnown]: metadata(issuer, "https://idp.example") });
    await assert.rejects(configuredDoor(it, typed), /names the issuer/);
  });
}

Deno.test("an authorization endpoint with a query keeps it, and no parameter of ours is doubled", async () => {
  const typed = "https://b2c.example";
  const server = metadata(typed, typed, {
    authorization_endpoint: `${typed}/authorize?p=sign_in&client_id=theirs`,
  });
  const it = context(typed, { [typed + wellKnown]: server });
  const door = await configuredDoor(it, typed);

  const url = authorizeUrl(door, {
    clientId: "app",
    redirectUri: "http://localhost:1/cb",
    state: "s",
    codeChallenge: "c",
  }, it.config);

  assert.equal(url.searchParams.get("p"), "sign_in");
  assert.deepEqual(url.searchParams.getAll("client_id"), ["app"]);
});
