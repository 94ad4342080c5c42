import assert from "node:assert/strict";
import type { Setting } from "../../lib/base/setting.ts";
import { entries } from "../../lib/config/table.ts";
import { at, load } from "./support.ts";
import { type Ground, type SettingCase, settingCases } from "./setting_cases.ts";

const secret = "9J4xq0Zt7mVb2Lk8Rw5yCn3Hs6Pd1Fg0";
const oidc = {
  MCP_PROXY_TRANSPORT: "http",
  MCP_PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://up.example/mcp",
  INBOUND_AUTH_PROVIDER: "oidc",
  OIDC_ISSUER_URL: "https://idp.example",
  OIDC_CLIENT_ID: "c",
};
const babs = {
  PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://up.example/mcp",
  OIDC_ISSUER_URL: "https://idp.example",
  OIDC_CLIENT_ID: "c",
};
const grounds: Readonly<Record<Ground, Readonly<Record<string, string>>>> = {
  stdio: { UPSTREAM_MCP_URL: "http://up.example/mcp" },
  oidc,
  babs,
  google: { ...oidc, INBOUND_AUTH_PROVIDER: "google", OIDC_CLIENT_SECRET: "s" },
  azure: {
    ...oidc,
    INBOUND_AUTH_PROVIDER: "azure",
    OIDC_ISSUER_URL: "",
    AZURE_TENANT_ID: "tenant",
    OIDC_SCOPES: "User.Read",
  },
  cognito: {
    ...oidc,
    INBOUND_AUTH_PROVIDER: "aws-cognito",
    OIDC_ISSUER_URL: "",
    OIDC_CLIENT_SECRET: "s",
    COGNITO_USER_POOL_ID: "eu-central-1_X",
    COGNITO_AWS_REGION: "eu-central-1",
  },
  jwt: {
    RESOURCE_URL: "https://d.example",
    MCP_UPSTREAM_URL: "http://up.example",
    OIDC_ISSUER_URL: "https://idp.example/",
    OIDC_AUDIENCE: "aud",
    ALLOW_SUBS: "me",
  },
  none: { MCP_PROXY_TRANSPORT: "http", INBOUND_AUTH_PROVIDER: "none" },
  static: { ...oidc, OUTBOUND_AUTH: "static", OUTBOUND_HEADER_VALUE: "v" },
  service: {
    ...oidc,
    OUTBOUND_AUTH: "oauth-client-credentials",
    OUTBOUND_TOKEN_URL: "https://t.example/t",
    OUTBOUND_CLIENT_ID: "o",
    OUTBOUND_CLIENT_SECRET: "s",
  },
  user: { ...oidc, OUTBOUND_AUTH: "per-user-header", OUTBOUND_HEADER_TEMPLATE: "{sub}" },
  exchange: {
    ...oidc,
    OUTBOUND_AUTH: "token-exchange",
    OUTBOUND_TOKEN_URL: "https://t.example/t",
    OUTBOUND_CLIENT_ID: "o",
    OUTBOUND_CLIENT_SECRET: "s",
    OUTBOUND_SCOPES: "a",
  },
  redis: { ...babs, REDIS_URL: "redis://r:6379/0", TOKEN_SIGNING_SECRET: secret },
};
const files = { "given.env": "LOG_LEVEL=warn\n" };

/** The ground without the names of the setting, so that what is given is all there is. */
function without(setting: Setting, one: SettingCase): Record<string, string> {
  const env = { ...grounds[one.ground], ...one.needs };
  for (const name of [setting.env, ...setting.envAliases ?? []]) if (name !== undefined) delete env[name];
  return env;
}

function given(setting: Setting, text: string): string[] {
  return [`--${setting.flag}=${text}`];
}

function hasEffect(config: unknown, { path, effect }: SettingCase, how: string): void {
  assert.ok(!Array.isArray(config), `${how}: ${Deno.inspect(config)}`);
  const found = at(config, path);
  if (effect instanceof RegExp) assert.match(String(found), effect, how);
  else assert.deepEqual(found, effect, how);
}

Deno.test("every setting of the table has a case here", () => {
  const missing = entries.map(([key]) => key).filter((key) => !(key in settingCases));
  assert.deepEqual(missing, []);
});

Deno.test("no two settings share a variable or a flag", () => {
  const seen = new Map<string, string>();
  for (const [key, setting] of entries) {
    const flags = [setting.flag, ...setting.flagAliases ?? []].filter((name) => name !== undefined);
    const names = [setting.env, ...setting.envAliases ?? []].filter((name) => name !== undefined);
    for (
      const name of [
        ...names,
        ...flags.map((flag) => `--${flag}`),
        ...flags.map((flag) => `--no-${flag}`),
      ]
    ) {
      assert.equal(seen.get(name) ?? key, key, name);
      seen.set(name, key);
    }
  }
});

for (const [key, setting] of entries) {
  const one = settingCases[key];
  if (one === undefined) continue;
  const bare = without(setting, one);

  Deno.test(`${key}: a good value has its effect under every name`, () => {
    for (const name of [setting.env, ...setting.envAliases ?? []]) {
      if (name === undefined) continue;
      hasEffect(load([], { env: { ...bare, [name]: one.good }, files }), one, name);
      if (setting.secret !== true) continue;
      const kept = { env: { ...bare, [`${name}_FILE`]: "/run/s" }, files: { "/run/s": `${one.good}\n` } };
      hasEffect(load([], kept), one, `${name}_FILE`);
    }
    hasEffect(load(given(setting, one.good), { env: bare, files }), one, `--${setting.flag}`);
    for (const flag of setting.flagAliases ?? []) {
      hasEffect(load([`--${flag}=${one.good}`], { env: bare, files }), one, `--${flag}`);
    }
  });

  Deno.test(`${key}: an empty value counts as unset`, () => {
    if (setting.emptyIsValue === true) return;
    const unset = load([], { env: bare, files });
    for (const name of [setting.env, ...setting.envAliases ?? []]) {
      if (name === undefined) continue;
      assert.deepEqual(load([], { env: { ...bare, [name]: "" }, files }), unset, name);
    }
    assert.deepEqual(load(given(setting, ""), { env: bare, files }), unset);
  });

  if (one.bad === undefined) continue;
  const { bad } = one;
  Deno.test(`${key}: a bad value is one line that names the setting`, () => {
    for (
      const [name, argv, env] of [[setting.env, [], { ...bare, [setting.env ?? ""]: bad }], [
        `--${setting.flag}`,
        given(setting, bad),
        bare,
      ]] as const
    ) {
      if (name === undefined) continue;
      const found = load(argv, { env, files });

      assert.ok(Array.isArray(found), `${name} took ${bad}`);
      assert.equal(found.length, 1, Deno.inspect(found));
      const line = found[0] ?? "";
      assert.ok(
        line.includes(setting.env ?? "\0") || line.includes(`--${setting.flag}`) || key === "envFile",
        line,
      );
      assert.ok(setting.secret !== true || !line.includes(bad), `${line} shows a secret`);
    }
  });
}
