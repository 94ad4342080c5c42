import assert from "node:assert/strict";
import fc from "fast-check";
import { http, problemsOf } from "./support.ts";

const secret = "9J4xq0Zt7mVb2Lk8Rw5yCn3Hs6Pd1Fg0";
const babs = {
  PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://up.example/mcp",
  OIDC_ISSUER_URL: "https://i.example",
  OIDC_CLIENT_ID: "c",
};
const authsome = {
  MCP_PROXY_TRANSPORT: "http",
  MCP_PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://up.example/mcp",
};

/** What weakens a control, and how production names it. */
const relaxations: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ PKCE_REQUIRED: "false" }, /PKCE_REQUIRED=false/],
  [{ COMPAT_ALLOW_STATELESS: "true" }, /COMPAT_ALLOW_STATELESS=true/],
  [{ TRUST_PROXY_HEADERS: "true" }, /TRUST_PROXY_HEADERS=true without TRUSTED_PROXY_CIDRS/],
  [{ OIDC_ALLOW_INSECURE_HTTP: "true" }, /OIDC_ALLOW_INSECURE_HTTP=true/],
  [{ RENDER_CONSENT_PAGE: "false" }, /RENDER_CONSENT_PAGE=false/],
  [{ RATE_LIMIT_ENABLED: "false" }, /RATE_LIMIT_ENABLED=false/],
  [{ CIMD_ALLOW_LOOPBACK: "true" }, /CIMD_ALLOW_LOOPBACK=true/],
  [{ TOKEN_SIGNING_SECRET: "abcd".repeat(9) }, /TOKEN_SIGNING_SECRET .*one part repeated/],
  [
    { TOKEN_SIGNING_SECRETS_PREVIOUS: `${secret} ${"x".repeat(40)}` },
    /TOKEN_SIGNING_SECRETS_PREVIOUS, entry 2/,
  ],
];

Deno.test("PROD_MODE refuses each relaxation, and PROD_MODE=false takes it", () => {
  for (const [env, named] of relaxations) {
    const [line, ...more] = problemsOf([], { env: { ...babs, ...env } });
    assert.match(line ?? "", named);
    assert.match(line ?? "", /production mode/);
    assert.deepEqual(more, []);
    assert.deepEqual(problemsOf([], { env: { ...babs, ...env, PROD_MODE: "false" } }), [], Deno.inspect(env));
  }
});

Deno.test("PROD_MODE names every violation in one message", () => {
  const env = Object.assign({}, babs, ...relaxations.map(([one]) => one)) as Record<string, string>;

  const found = problemsOf([], { env });
  assert.equal(found.length, 1);
  for (const [, named] of relaxations) assert.match(found[0] ?? "", named);
});

Deno.test("PROD_MODE takes the legacy trust once networks are named", () => {
  const env = { ...babs, TRUST_PROXY_HEADERS: "true", TRUSTED_PROXY_CIDRS: "10.0.0.0/8" };
  const config = http([], { env });

  assert.equal(config.limits.trustAnyProxy, false);
  assert.deepEqual(config.warnings?.map(({ event }) => event), ["trust_proxy_headers_superseded_by_cidrs"]);
  const old = http([], { env: { ...babs, TRUST_PROXY_HEADERS: "true", PROD_MODE: "false" } });
  assert.deepEqual(old.warnings?.map(({ event }) => event), ["trust_proxy_headers_deprecated"]);
});

Deno.test("a signing secret is at least 32 bytes in every mode, and a weak one only warned about in development", () => {
  for (const prod of ["true", "false"]) {
    const [line] = problemsOf([], {
      env: { ...babs, PROD_MODE: prod, TOKEN_SIGNING_SECRET: secret.slice(1) },
    });
    assert.match(line ?? "", /TOKEN_SIGNING_SECRET .*shorter than 32 bytes/);
  }
  const weak = http([], {
    env: { ...babs, PROD_MODE: "false", TOKEN_SIGNING_SECRET: "0123456701234567".repeat(3) },
  });
  assert.deepEqual(weak.warnings?.map(({ event }) => event), ["token_signing_secret_weak"]);
});

Deno.test("random secrets are never taken for weak", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 48 }), () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    for (const text of [bytes.toHex(), bytes.toBase64()]) {
      assert.deepEqual(problemsOf([], { env: { ...babs, TOKEN_SIGNING_SECRET: text } }), []);
    }
  }));
});

Deno.test("no message shows a secret", () => {
  const env = {
    ...babs,
    OIDC_CLIENT_SECRET: "canary-1\u0000",
    TOKEN_SIGNING_SECRET: "canary-2",
    TOKEN_SIGNING_SECRETS_PREVIOUS: "canary-3",
    REDIS_URL: "http://user:canary-4@r",
    STATIC_CLIENTS: "canary-5",
    OUTBOUND_AUTH: "static",
    OUTBOUND_HEADER_VALUE: "canary-6\n",
  };

  assert.doesNotMatch(problemsOf([], { env }).join("\n"), /canary/);
});

Deno.test("what Redis needs and what needs Redis", () => {
  const judged = (env: Record<string, string>) => problemsOf([], { env: { ...babs, ...env } });

  assert.deepEqual(judged({}), []);
  assert.match(judged({ REDIS_REQUIRED: "true" })[0] ?? "", /without REDIS_URL/);
  assert.match(judged({ REDIS_URL: "redis://r" })[0] ?? "", /without TOKEN_SIGNING_SECRET/);
  assert.deepEqual(judged({ REDIS_URL: "redis://r", TOKEN_SIGNING_SECRET: secret }), []);
  assert.match(judged({ MCP_PROXY_REPLICAS: "2" })[0] ?? "", /MCP_PROXY_REPLICAS=2 without REDIS_URL/);
  assert.match(judged({ WORKERS: "2" })[0] ?? "", /WORKERS=2 without REDIS_URL/);
  const shared = {
    REDIS_URL: "redis://r",
    TOKEN_SIGNING_SECRET: secret,
    MCP_PROXY_REPLICAS: "3",
    WORKERS: "2",
  };
  assert.deepEqual(judged(shared), []);
  assert.match(
    judged({ MCP_PROXY_REUSE_PORT: "true" })[0] ?? "",
    /MCP_PROXY_REUSE_PORT without REDIS_URL/,
  );
  assert.deepEqual(judged({ ...shared, MCP_PROXY_REUSE_PORT: "true" }), []);
});

Deno.test("a port is shared only where both processes have the same upstream", () => {
  const { UPSTREAM_MCP_URL: _, ...others } = babs as Record<string, string>;
  const env = {
    ...others,
    REDIS_URL: "redis://r",
    TOKEN_SIGNING_SECRET: secret,
    MCP_SPAWN_STDIO: "server",
  };
  assert.doesNotMatch(problemsOf([], { env: env }).join("\n"), /started as a child/);
  assert.match(
    problemsOf([], { env: { ...env, MCP_PROXY_REUSE_PORT: "true" } }).join("\n"),
    /Cannot use MCP_PROXY_REUSE_PORT with an upstream that is started as a child/,
  );
});

Deno.test("pairs of files come together", () => {
  assert.match(
    problemsOf([], { env: { ...babs, TLS_CERT_FILE: "c" } })[0] ?? "",
    /TLS_CERT_FILE and TLS_KEY_FILE/,
  );
  assert.match(
    problemsOf([], { env: { ...babs, CLIENT_KEY_FILE: "k" } })[0] ?? "",
    /CLIENT_CERT_FILE and CLIENT_KEY/,
  );
});

/** What each provider cannot do without. */
const required: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "oidc": { OIDC_ISSUER_URL: "https://i.example", OIDC_CLIENT_ID: "c" },
  "google": { OIDC_CLIENT_ID: "c", OIDC_CLIENT_SECRET: "s" },
  "azure": { AZURE_TENANT_ID: "t", OIDC_CLIENT_ID: "c", OIDC_SCOPES: "User.Read" },
  "aws-cognito": {
    COGNITO_USER_POOL_ID: "eu_X",
    COGNITO_AWS_REGION: "eu-central-1",
    OIDC_CLIENT_ID: "c",
    OIDC_CLIENT_SECRET: "s",
  },
  "keycloak": { OIDC_ISSUER_URL: "https://k.example/realms/r" },
  "jwt": { OIDC_ISSUER_URL: "https://i.example" },
};

for (const [provider, needs] of Object.entries(required)) {
  Deno.test(`inbound ${provider} names every setting that it lacks`, () => {
    const env = { ...authsome, INBOUND_AUTH_PROVIDER: provider };

    assert.deepEqual(problemsOf([], { env: { ...env, ...needs } }), []);
    const none = problemsOf([], { env }).join("\n");
    for (const name of Object.keys(needs)) {
      assert.match(none, new RegExp(name));
      const rest = Object.fromEntries(Object.entries(needs).filter(([other]) => other !== name));
      assert.match(problemsOf([], { env: { ...env, ...rest } }).join("\n"), new RegExp(name), name);
    }
  });
}

/** What each outbound mode cannot do without. */
const outbound: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "static": { OUTBOUND_HEADER_VALUE: "v" },
  "oauth-client-credentials": {
    OUTBOUND_TOKEN_URL: "https://t.example/t",
    OUTBOUND_CLIENT_ID: "c",
    OUTBOUND_CLIENT_SECRET: "s",
  },
};

for (const [mode, needs] of Object.entries(outbound)) {
  Deno.test(`outbound ${mode} names every setting that it lacks`, () => {
    const env = { ...authsome, INBOUND_AUTH_PROVIDER: "oidc", ...required.oidc, OUTBOUND_AUTH: mode };

    assert.deepEqual(problemsOf([], { env: { ...env, ...needs } }), []);
    const found = problemsOf([], { env });
    assert.equal(found.length, 1);
    for (const name of Object.keys(needs)) assert.match(found[0] ?? "", new RegExp(name));
  });
}

Deno.test("an unreadable setting is not reported as missing as well", () => {
  const env = { ...authsome, INBOUND_AUTH_PROVIDER: "oidc", OIDC_ISSUER_URL: "nope", OIDC_CLIENT_ID: "c" };
  assert.equal(problemsOf([], { env }).length, 1);
  assert.equal(problemsOf([], { env: { ...env, INBOUND_AUTH_PROVIDER: "keycloak" } }).length, 1);
});

Deno.test("issuers: https, or http on this machine, or as PROD_MODE=false allows", () => {
  for (const provider of ["oidc", "keycloak", "jwt"]) {
    const judged = (issuer: string, more: Record<string, string> = {}) =>
      problemsOf([], {
        env: {
          ...authsome,
          OIDC_CLIENT_ID: "c",
          INBOUND_AUTH_PROVIDER: provider,
          OIDC_ISSUER_URL: issuer,
          ...more,
        },
      });
    for (
      const good of [
        "https://i.example",
        "http://localhost:8080/realms/x",
        "http://127.0.0.1",
        "http://[::1]",
      ]
    ) {
      assert.deepEqual(judged(good), [], `${provider} ${good}`);
    }
    assert.equal(judged("http://i.example").length, 1, provider);
    const relaxed = { OIDC_ALLOW_INSECURE_HTTP: "true", PROD_MODE: "false" };
    assert.deepEqual(judged("http://i.example", relaxed), []);
  }
});

Deno.test("remote mode without an audience warns, and with outbound forward requires one of ours", () => {
  const env = {
    ...authsome,
    INBOUND_AUTH_PROVIDER: "keycloak",
    OIDC_ISSUER_URL: "https://k.example/realms/r",
  };
  const forwarded = http([], { env });
  const kept = http([], { env: { ...env, OUTBOUND_AUTH: "none" } });

  assert.equal(forwarded.inbound.shape === "remote" && forwarded.inbound.requireAudience, true);
  assert.deepEqual(forwarded.warnings, []);
  assert.equal(kept.inbound.shape === "remote" && kept.inbound.requireAudience, false);
  assert.deepEqual(kept.warnings?.map(({ event }) => event), ["audience_not_checked"]);
});

Deno.test("a public provider without a list of who may enter warns", () => {
  const env = { ...authsome, INBOUND_AUTH_PROVIDER: "google", OIDC_CLIENT_ID: "c", OIDC_CLIENT_SECRET: "s" };

  assert.deepEqual(http([], { env }).warnings?.map(({ event }) => event), ["anybody_may_enter"]);
  for (const more of [{ ALLOW_DOMAINS: "a.b" }, { ALLOW_EMAILS: "a@b.c" }, { GOOGLE_HOSTED_DOMAIN: "a.b" }]) {
    assert.deepEqual(http([], { env: { ...env, ...more } }).warnings, []);
  }
});

Deno.test("a public issuer under another provider's name warns too, and no other issuer does", () => {
  const events = (issuer: string, more: Record<string, string> = {}) => {
    const client = { OIDC_CLIENT_ID: "c", OIDC_CLIENT_SECRET: "s" };
    const env = { ...authsome, INBOUND_AUTH_PROVIDER: "oidc", OIDC_ISSUER_URL: issuer, ...client, ...more };
    return http([], { env }).warnings?.map(({ event }) => event);
  };
  const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
  for (
    const issuer of [
      "https://accounts.google.com",
      "https://login.microsoftonline.com/common/v2.0",
      `https://login.microsoftonline.com/${tenant}/v2.0`,
      "https://gitlab.com",
    ]
  ) {
    assert.deepEqual(events(issuer), ["anybody_may_enter"], issuer);
    assert.deepEqual(events(issuer, { ALLOW_GROUPS: "staff" }), [], issuer);
  }
  for (
    const issuer of [
      "https://idp.example",
      "https://gitlab.com.idp.example",
      "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
    ]
  ) {
    assert.deepEqual(events(issuer), [], issuer);
  }
});

Deno.test("a domain on the list is looked for in the id_token where the provider is Google", () => {
  const client = { ...authsome, OIDC_CLIENT_ID: "c", OIDC_CLIENT_SECRET: "s", ALLOW_DOMAINS: "a.b" };
  const claimOf = (env: Record<string, string>) => {
    const { inbound } = http([], { env: { ...client, ...env } });
    return inbound.shape === "bridge" ? inbound.allow.domainClaim : assert.fail();
  };

  assert.equal(claimOf({ INBOUND_AUTH_PROVIDER: "google" }), "hd");
  assert.equal(
    claimOf({ INBOUND_AUTH_PROVIDER: "oidc", OIDC_ISSUER_URL: "https://accounts.google.com/" }),
    "hd",
  );
  assert.equal(
    claimOf({ INBOUND_AUTH_PROVIDER: "oidc", OIDC_ISSUER_URL: "https://idp.example" }),
    undefined,
  );
});

Deno.test("stdio mode needs an upstream", () => {
  assert.deepEqual(problemsOf([]).length, 1);
  assert.match(problemsOf([])[0] ?? "", /without an upstream/);
});

Deno.test("client credentials need a client and a credential", () => {
  const judged = (...argv: string[]) =>
    problemsOf(["--oidc-grant", "client_credentials", ...argv, "https://u.example/mcp"]);

  assert.match(judged("--oidc-client-secret=s").join("\n"), /without OIDC_CLIENT_ID/);
  assert.match(judged("--oidc-client-id=c").join("\n"), /without OIDC_CLIENT_SECRET .* or OIDC_CLIENT_KEY/);
  assert.deepEqual(judged("--oidc-client-id=c", "--oidc-client-secret=s"), []);
  assert.deepEqual(judged("--oidc-client-id=c", "--oidc-client-key=-----BEGIN PRIVATE KEY-----"), []);
});

Deno.test("STATIC_CLIENTS is an array of clients and nothing else", () => {
  const good = { client_id: "a", redirect_uris: ["https://a.example/cb"] };
  const judged = (text: string) => problemsOf([], { env: { ...babs, STATIC_CLIENTS: text } });

  assert.deepEqual(judged(JSON.stringify([good, { ...good, client_name: "A" }])), []);
  const bad = [
    "{",
    "{}",
    "null",
    "[1]",
    "[null]",
    JSON.stringify([{ ...good, client_id: "" }]),
    JSON.stringify([{ ...good, client_secret: 1 }]),
    JSON.stringify([{ ...good, client_secret: "" }]),
    JSON.stringify([{ ...good, redirect_uris: [] }]),
    JSON.stringify([{ ...good, redirect_uris: ["no url"] }]),
    JSON.stringify([{ ...good, client_name: 1 }]),
  ];
  for (const text of bad) assert.match(judged(text)[0] ?? "", /expected a JSON array of objects/, text);
});

Deno.test("fixed upstream headers cannot be those that the border itself sets", () => {
  const problems = (header: string) => problemsOf([], { env: { ...babs, UPSTREAM_HEADERS: header } });

  assert.match(problems("Authorization: Bearer x").join(), /UPSTREAM_HEADERS.*use OUTBOUND_AUTH=static/);
  for (
    const name of ["Host", "Content-Length", "Connection", "X-User-Sub", "X_User_Email", "Mcp-Session-Id"]
  ) {
    assert.match(problems(`${name}: x`).join(), /has a meaning of its own/, name);
  }
  assert.deepEqual(problems("X-Tenant: one\nX-Region: eu"), []);
  const { upstreamHeaders } = http([], { env: { ...babs, UPSTREAM_HEADERS: "X-Tenant: one\nX-Region: eu" } });
  assert.deepEqual(upstreamHeaders, [["x-tenant", "one"], ["x-region", "eu"]]);
});
