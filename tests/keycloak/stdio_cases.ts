/** stdio mode's login at a real Keycloak, in this process: the network and the server are real, the person is scripted. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { openHttpClient } from "../../lib/base/http_client.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { LoginConfig } from "../../lib/stdio/config.ts";
import { openCredentials } from "../../lib/stdio/open_credentials.ts";
import { bearer, freePort, movedClock, soon, stdioConfig, temporaryDir } from "../stdio/login_setup.ts";
import { documentPath, openDoor } from "../stdio/upstream_door.ts";
import type { Keycloak } from "../support/keycloak.ts";
import { keycloakBrowser, newRealm, type Realm } from "./realm.ts";

interface Start {
  readonly dir: string;
  readonly upstreamUrl?: string;
  readonly login: Partial<LoginConfig>;
  readonly clock?: ReturnType<typeof movedClock>;
}

/** Credentials whose person logs in at Keycloak as alice; `opened` counts how often. */
async function start({ dir, upstreamUrl, login, clock }: Start) {
  const http = openHttpClient();
  let opened = 0;
  const config = stdioConfig(
    `${dir}/cache`,
    login,
    upstreamUrl === undefined ? {} : { upstreamUrl: new URL(upstreamUrl) },
  );
  const credentials = await openCredentials(config, {
    http,
    log: silentLog,
    clock: clock ?? systemClock,
    print(line) {
      const found = /https?:\/\/\S+/.exec(line)?.[0];
      if (found === undefined) return;
      opened++;
      const redirectUri = new URL(found).searchParams.get("redirect_uri") ?? "";
      // The scripted browser stops at the redirect, which is then followed like any.
      void keycloakBrowser("alice").authorize(found, redirectUri).then((landed) => fetch(landed))
        .then((response) => response.body?.cancel());
    },
  });
  return {
    credentials,
    opened: () => opened,
    async [Symbol.asyncDispose]() {
      await credentials[Symbol.asyncDispose]();
      http.close();
    },
  };
}

async function allow(realm: Realm, redirectUrl: URL): Promise<void> {
  const [client] = await realm.admin<{ id: string; redirectUris: string[] }[]>(
    "GET",
    `/clients?clientId=${realm.clientId}`,
  );
  assert.ok(client);
  await realm.admin("PUT", `/clients/${client.id}`, {
    ...client,
    redirectUris: [...client.redirectUris, redirectUrl.href],
  });
}

/** Each claim with the test of it. */
export const stdioCases: Record<string, (keycloak: Keycloak) => Promise<void>> = {
  "stdio: a configured client logs in once, refreshes with rotation, and logs in anew when its session is ended":
    async (
      keycloak,
    ) => {
      await using realm = await newRealm(keycloak);
      await using dir = await temporaryDir();
      const redirectUrl = new URL(`http://localhost:${freePort()}/auth/callback`);
      await allow(realm, redirectUrl);
      const clock = movedClock();
      const login = {
        issuerUrl: realm.issuer + "/",
        clientId: realm.clientId,
        clientSecret: realm.clientSecret,
        redirectUrl,
      };
      await using it = await start({ dir: dir.path, login, clock });

      const first = bearer(await it.credentials.headers(soon()));
      // Each access token lives 5 minutes; the refresh token is good once.
      clock.move(290_000);
      const second = bearer(await it.credentials.headers(soon()));
      clock.move(290_000);
      const third = bearer(await it.credentials.headers(soon()));
      assert.equal(new Set([first, second, third]).size, 3);
      assert.equal(it.opened(), 1);

      await realm.endSessions("alice");
      clock.move(290_000);
      const fourth = bearer(await it.credentials.headers(soon()));
      assert.ok(fourth !== undefined && fourth !== third);
      assert.equal(it.opened(), 2);
    },

  "stdio: without a configured issuer it registers itself, and ten callers refresh once": async (
    keycloak,
  ) => {
    await using realm = await newRealm(keycloak, { openTo: ["127.0.0.1", "localhost"] });
    await using dir = await temporaryDir();
    await using door = openDoor();
    door.documents[documentPath] = { resource: door.url, authorization_servers: [realm.issuer] };
    const clock = movedClock();
    const redirectUrl = new URL(`http://localhost:${freePort()}/auth/callback`);
    const login = { redirectUrl, redirectFixed: true, scopes: ["openid", "email"] };
    await using it = await start({ dir: dir.path, upstreamUrl: door.url, login, clock });
    const used = await it.credentials.headers(soon());

    const cured = await it.credentials.renew(used, { status: 401, challenge: door.challenge() }, soon());
    assert.equal(cured, true);
    const first = bearer(await it.credentials.headers(soon()));
    clock.move(290_000);
    const all = await Promise.all(Array.from({ length: 10 }, () => it.credentials.headers(soon())));

    assert.equal(new Set(all.map(bearer)).size, 1);
    assert.notEqual(bearer(all[0] ?? used), first);
    assert.equal(it.opened(), 1);
  },
};
