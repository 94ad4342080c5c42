/** A signing key is rotated over replicas that are restarted one after the other, while users log in, call and refresh. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { newBrowser } from "../support/browser.ts";
import {
  call,
  codeOf,
  discover,
  redeem,
  refresh,
  register,
  startLogin,
  type Tokens,
} from "../support/oauth_client.ts";
import type { DoormanProcess } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { startRoundRobin } from "../support/round_robin.ts";
import { testWithService } from "../support/services.ts";
import { startHttpMode, untilAnswering } from "../support/http_mode.ts";

const [oldSecret, newSecret] = [
  "the-old-secret-0123456789-abcdefghi",
  "the-new-secret-0123456789-abcdefghi",
];

testWithService(
  "redis",
  "a key rotated under load as the runbook says logs nobody out and fails nobody's login",
  async (path) => {
    await using redis = await startRedis(path);
    await using idp = await startIdp();
    await using upstream = startHandler(() => Response.json({}));
    await using balancer = startRoundRobin();
    const { origin } = balancer;
    await idp.addRedirect(`${origin}/auth/callback`);
    const ports = [unusedPort(), unusedPort()] as const;
    const start = async (port: number, secret: string, other?: string): Promise<DoormanProcess> => {
      const { process } = await startHttpMode({
        ...{ idp, port, baseUrl: origin, upstreamUrl: upstream.url, dontWait: true },
        env: {
          REDIS_URL: redis.url,
          TOKEN_SIGNING_SECRET: secret,
          ...(other === undefined ? {} : { TOKEN_SIGNING_SECRETS_PREVIOUS: other }),
          RATE_LIMIT_ENABLED: "false",
          PROD_MODE: "false",
          METRICS_ADDR: "127.0.0.1:0",
        },
      });
      await untilAnswering(`http://127.0.0.1:${port}/healthz`);
      return process;
    };
    const replicas = await Promise.all(ports.map((port) => start(port, oldSecret)));
    balancer.ports = [...ports];
    const found = await discover(`${origin}/mcp`);
    const failures: string[] = [];
    let rounds = 0;
    let stopped = false;

    /** Rounds of every replica's mix, so that each state of the roll-out is met. */
    const someRounds = async () => {
      const until = rounds + 40;
      while (rounds < until && failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const roll = async (secret: string, other: string) => {
      for (const at of [0, 1] as const) {
        balancer.ports = [ports[at === 0 ? 1 : 0]];
        await someRounds();
        const old = replicas[at];
        old?.signal("SIGTERM");
        await old?.exited;
        replicas[at] = await start(ports[at], secret, other);
        await old?.[Symbol.asyncDispose]();
        balancer.ports = [...ports];
        await someRounds();
      }
    };
    const user = async () => {
      const client = await register(found.server);
      const browser = newBrowser({ user: "alice" });
      const logIn = async () => {
        const login = await startLogin(found, client);
        const end = await browser.authorize(login.url, client.redirectUri);
        return await redeem(found, client, login, codeOf(end, login));
      };
      let tokens: Tokens = await logIn();
      for (let round = 1; !stopped; round++) {
        const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
        const response = await call(`${origin}/mcp`, tokens.access_token, ping);
        await response.body?.cancel();
        assert.equal(response.status, 200);
        tokens = round % 5 === 0 ? await logIn() : await refresh(found, client, tokens.refresh_token ?? "");
        rounds++;
      }
    };

    const users = Array.from({ length: 4 }, () => user().catch((error) => failures.push(error.message)));
    try {
      // First every replica learns to open with the new key, then every replica seals with it.
      await roll(oldSecret, newSecret);
      await roll(newSecret, oldSecret);
    } finally {
      stopped = true;
      await Promise.all(users);
      await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
    }

    assert.deepEqual(failures, []);
    assert.ok(rounds >= 320, String(rounds));
  },
);
