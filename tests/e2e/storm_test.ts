/**
 * Two replicas on one Redis that hand the IdP's token on, so that every refresh is one at the IdP; one is killed in the
 * middle and comes back.
 */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { newBrowser } from "../support/browser.ts";
import {
  call,
  codeOf,
  discover,
  redeem,
  register,
  startLogin,
  tokenRequest,
  type Tokens,
} from "../support/oauth_client.ts";
import { type DoormanProcess, startDoorman } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { startRoundRobin } from "../support/round_robin.ts";
import { testWithService } from "../support/services.ts";
import { untilAnswering } from "../support/http_mode.ts";

const users = 200;
const atOnce = 10;

for (const rotates of [false, true]) {
  testWithService(
    "redis",
    `${users} logins and ${users} refreshes at an IdP that ${
      rotates ? "rotates" : "does not rotate"
    }, one replica killed -9: ` +
      (rotates ? "only refreshes in flight there may need a new login" : "nobody is logged out"),
    async (path) => {
      await using redis = await startRedis(path);
      await using idp = await startIdp({ audience: "mcp-server", rotateRefreshTokens: rotates });
      await using upstream = startHandler(() => Response.json({}));
      await using balancer = startRoundRobin();
      const { origin } = balancer;
      await idp.addRedirect(`${origin}/auth/callback`);
      const start = (port: number) =>
        startDoorman(replicaArgs(origin, idp, port, upstream.url), { env: env(redis.url) });
      const ports = [unusedPort(), unusedPort()];
      await using _one = start(ports[0] ?? 0);
      const victim = start(ports[1] ?? 0);
      let revived: DoormanProcess | undefined;
      await Promise.all(ports.map((port) => untilAnswering(`http://127.0.0.1:${port}/healthz`)));
      balancer.ports = ports;
      const mcpUrl = `${origin}/mcp`;
      const found = await discover(mcpUrl);
      const failures: string[] = [];
      const loggedOut: number[] = [];
      const cut = new Set<number>();
      let done = 0;

      async function user(number: number): Promise<void> {
        const client = await retried(() => register(found.server));
        const browser = newBrowser({ user: number % 2 === 0 ? "alice" : "bob" });
        const tokens = await retried(async () => {
          const login = await startLogin(found, client);
          const end = await browser.authorize(login.url, client.redirectUri);
          return await redeem(found, client, login, codeOf(end, login));
        });
        const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token ?? "" };
        for (let attempt = 0; attempt < 5; attempt++) {
          const answer = await tokenRequest(found.server, client, form).catch(() => undefined);
          if (answer?.status === 200) return await assertGood(mcpUrl, answer.body);
          // As a client would: an answer that was cut off is asked for again; a refusal means a new login.
          if (answer !== undefined && answer.status < 500) {
            loggedOut.push(number);
            return;
          }
          cut.add(number);
        }
        throw new Error("never refreshed");
      }

      const numbers = Array.from({ length: users }, (_, at) => at);
      const workers = Array.from({ length: atOnce }, async () => {
        for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
          await user(number).catch((error) => failures.push(`${number}: ${error.message}`));
          done++;
          if (done === 60) victim.signal("SIGKILL");
          if (done === 110) revived = start(ports[1] ?? 0);
        }
      });
      try {
        await Promise.all(workers);
      } finally {
        await victim[Symbol.asyncDispose]();
        await revived?.[Symbol.asyncDispose]();
      }

      console.log(
        `${cut.size} refreshes were cut off; new logins needed by: ${loggedOut.join(", ") || "nobody"}`,
      );
      assert.deepEqual(failures, []);
      assert.deepEqual(loggedOut.filter((number) => !rotates || !cut.has(number)), []);
    },
  );
}

function replicaArgs(
  origin: string,
  idp: { issuer: string; clientId: string; clientSecret: string },
  port: number,
  upstream: string,
): string[] {
  return [
    ...["--transport", "http", "--host", "127.0.0.1", "--port", String(port), "--proxy-base-url", origin],
    ...["--inbound-auth-provider", "oidc", "--oidc-issuer-url", idp.issuer],
    ...["--oidc-client-id", idp.clientId, "--oidc-client-secret", idp.clientSecret],
    ...["--outbound-auth", "forward", "--audience", "mcp-server", upstream],
  ];
}

function env(redisUrl: string): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    TOKEN_SIGNING_SECRET: "one-secret-for-all-replicas-0123456789",
    RATE_LIMIT_ENABLED: "false",
    PROD_MODE: "false",
    METRICS_ADDR: "127.0.0.1:0",
  };
}

/** A step of a login that was cut off is begun again. */
async function retried<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function assertGood(mcpUrl: string, tokens: Tokens): Promise<void> {
  const response = await call(mcpUrl, tokens.access_token, { jsonrpc: "2.0", id: 1, method: "ping" });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`a fresh token was answered ${response.status}`);
}
