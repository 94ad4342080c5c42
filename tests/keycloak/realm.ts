import type { Keycloak } from "../support/keycloak.ts";
import { type Browser, newBrowser } from "../support/browser.ts";

/** A realm of a test's own. */
export interface Realm extends AsyncDisposable {
  readonly name: string;
  readonly issuer: string;
  /** A confidential client whose redirect URIs are any on this machine, made for the bridge. */
  readonly clientId: string;
  readonly clientSecret: string;
  admin<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** A new signing key that is used from now on; with `only` the old ones are gone from the JWKS. */
  rotateKeys(only?: boolean): Promise<void>;
  /** Ends every session of a user, as an administrator does. */
  endSessions(username: string): Promise<void>;
  setUser(username: string, changes: Record<string, unknown>): Promise<void>;
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly providerId?: string;
  readonly subType?: string;
  readonly config?: Record<string, string[]>;
}

let count = 0;

/** The audience that access tokens are for. */
export const audience = "mcp-server";

/**
 * A realm with alice, in the group staff, and bob, whose address is not verified. Refresh tokens are good once. Its
 * registration policies are Keycloak's own unless `openTo` names hosts that may register.
 */
export async function newRealm(
  keycloak: Keycloak,
  options: { openTo?: readonly string[] } = {},
): Promise<Realm> {
  const name = `doorman-${Deno.pid}-${++count}`;
  const user = (username: string, more: Record<string, unknown>) => ({
    username,
    enabled: true,
    email: `${username}@example.com`,
    firstName: username,
    lastName: "Example",
    credentials: [{ type: "password", value: `${username}-pw` }],
    realmRoles: [`default-roles-${name}`],
    ...more,
  });
  await keycloak.admin("POST", "", {
    realm: name,
    enabled: true,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    groups: [{ name: "staff" }],
    users: [
      user("alice", { emailVerified: true, groups: ["/staff"] }),
      user("bob", { emailVerified: false }),
    ],
    clients: [{
      clientId: "doorman",
      secret: "doorman-secret",
      redirectUris: ["http://localhost/auth/callback"],
      // It may exchange the tokens of its own logins for one that is for `downstream` alone.
      attributes: { "standard.token.exchange.enabled": "true" },
      protocolMappers: [audienceMapper, groupMapper, clientAudience("doorman"), clientAudience("downstream")],
    }, { clientId: "downstream", secret: "downstream-secret" }],
  });
  const admin: Realm["admin"] = (method, path, body) => keycloak.admin(method, `/${name}${path}`, body);
  if (options.openTo !== undefined) await openRegistration(admin, options.openTo);
  const idOf = async (username: string) => {
    const [found] = await admin<{ id: string }[]>("GET", `/users?exact=true&username=${username}`);
    return found?.id ?? "";
  };
  return {
    name,
    issuer: `${keycloak.url}/realms/${name}`,
    clientId: "doorman",
    clientSecret: "doorman-secret",
    admin,
    async rotateKeys(only = false) {
      const provider = "org.keycloak.keys.KeyProvider";
      const old = await admin<Named[]>("GET", `/components?type=${provider}`);
      await admin("POST", "/components", {
        name: `rsa-${crypto.randomUUID()}`,
        providerId: "rsa-generated",
        providerType: provider,
        config: { priority: ["200"], active: ["true"], enabled: ["true"] },
      });
      if (!only) return;
      for (const each of old) {
        if (each.providerId === "rsa-generated") await admin("DELETE", `/components/${each.id}`);
      }
    },
    endSessions: async (username) => {
      await admin("POST", `/users/${await idOf(username)}/logout`);
    },
    setUser: async (username, changes) => {
      const id = await idOf(username);
      const now = await admin("GET", `/users/${id}`);
      await admin("PUT", `/users/${id}`, { ...now, ...changes });
    },
    [Symbol.asyncDispose]: async () => {
      await admin("DELETE", "");
    },
  };
}

const audienceMapper = {
  name: "audience",
  protocol: "openid-connect",
  protocolMapper: "oidc-audience-mapper",
  config: { "included.custom.audience": audience, "access.token.claim": "true" },
};

function clientAudience(client: string) {
  return {
    name: `audience ${client}`,
    protocol: "openid-connect",
    protocolMapper: "oidc-audience-mapper",
    config: { "included.client.audience": client, "access.token.claim": "true" },
  };
}

const groupMapper = {
  name: "groups",
  protocol: "openid-connect",
  protocolMapper: "oidc-group-membership-mapper",
  config: {
    "claim.name": "groups",
    "full.path": "false",
    "id.token.claim": "true",
    "access.token.claim": "true",
  },
};

/**
 * What lets MCP clients register by themselves. A client that registers with a `scope` gets none of the realm's
 * default scopes but `basic`, so that is where the audience goes; and `openid` is no client scope, so the policy must
 * name it.
 */
async function openRegistration(admin: Realm["admin"], hosts: readonly string[]): Promise<void> {
  const type = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy";
  const changes: Record<string, Record<string, string[]>> = {
    "trusted-hosts": { "trusted-hosts": [...hosts] },
    "allowed-client-templates": { "allowed-client-scopes": ["openid"] },
  };
  for (const policy of await admin<Named[]>("GET", `/components?type=${type}`)) {
    const change = policy.subType === "anonymous" ? changes[policy.providerId ?? ""] : undefined;
    if (change === undefined) continue;
    await admin("PUT", `/components/${policy.id}`, { ...policy, config: { ...policy.config, ...change } });
  }
  const scopes = await admin<Named[]>("GET", "/client-scopes");
  const basic = scopes.find((scope) => scope.name === "basic");
  await admin("POST", `/client-scopes/${basic?.id}/protocol-mappers/models`, audienceMapper);
}

/** A browser that logs this user in at Keycloak and agrees to whatever is asked on the way. */
export function keycloakBrowser(user: string): Browser & { readonly seen: string[] } {
  const browser = newBrowser();
  const seen: string[] = [];
  return {
    ...browser,
    seen,
    async authorize(url, redirectUri) {
      const stopAt = (at: URL) => at.href.startsWith(`${redirectUri}?`);
      let page = await browser.open(url, stopAt);
      seen.push(...page.trail);
      for (let step = 0; step < 6 && page.status !== 0; step++) {
        const isLogin = page.forms.some((form) => form.fields.some(([name]) => name === "password"));
        const button = isLogin ? /^sign in/i : /^(yes|approve|allow|continue)\b/i;
        if (!page.forms.some((form) => form.buttons.some((each) => button.test(each.text)))) break;
        const fields = isLogin ? { username: user, password: `${user}-pw` } : {};
        page = await browser.press(page, button, fields, stopAt);
        seen.push(...page.trail);
      }
      if (page.status !== 0) throw new Error(`The login ended on ${page.url}: ${page.status} ${page.text}`);
      return page.url;
    },
  };
}
