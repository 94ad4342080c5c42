/** How long what we issue lives. */
import { duration, instant, integer } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";

const tokens = "Tokens (http mode)";
const dayMs = 86_400_000;

export const tokenSettings = {
  codeTtlMs: {
    kind: duration(1000, 600_000),
    env: "CODE_TTL",
    flag: "code-ttl",
    default: 60_000,
    mode: "http",
    group: tokens,
    help: "Life of an authorization code",
  },
  loginTtlMs: {
    kind: duration(10_000, 3_600_000),
    env: "LOGIN_TTL",
    flag: "login-ttl",
    default: 600_000,
    mode: "http",
    group: tokens,
    help: "How long a login may take from /authorize to the callback",
  },
  accessTtlMs: {
    kind: duration(1000, dayMs),
    env: "ACCESS_TOKEN_TTL",
    flag: "access-token-ttl",
    default: 3_600_000,
    mode: "http",
    group: tokens,
    help: "Longest life of an access token",
  },
  refreshTtlMs: {
    kind: duration(1000, 365 * dayMs),
    env: "REFRESH_TOKEN_TTL",
    flag: "refresh-token-ttl",
    default: 7 * dayMs,
    mode: "http",
    group: tokens,
    help: "Life of a refresh token; every refresh begins it again",
  },
  grantTtlMs: {
    kind: duration(1000, 3650 * dayMs),
    env: "GRANT_TTL",
    flag: "grant-ttl",
    default: 90 * dayMs,
    mode: "http",
    group: tokens,
    help: "How long one login lasts however often it is refreshed",
  },
  clientTtlMs: {
    kind: duration(0, 90 * dayMs),
    env: "CLIENT_REGISTRATION_TTL",
    flag: "client-registration-ttl",
    default: 0,
    mode: "http",
    group: tokens,
    help: "Life of a client's registration; 0 is for ever",
  },
  refreshGraceSec: {
    kind: integer(0, 600),
    env: "REFRESH_RACE_GRACE_SEC",
    flag: "refresh-race-grace-sec",
    default: 60,
    mode: "http",
    group: tokens,
    help: "Seconds in which a used refresh token gives its successor again; 0 ends the login at once",
  },
  revokeBeforeMs: {
    kind: instant,
    env: "REVOKE_BEFORE",
    flag: "revoke-before",
    mode: "http",
    group: tokens,
    help: "Refuse every login that was made before this moment",
  },
} satisfies Settings;
