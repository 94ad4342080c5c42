/** Keys and store: what outlives a restart or is shared by replicas. */
import { bool, integer, path, text } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";
import { keyPrefix, redisUrl } from "./bridge_kinds.ts";

const state = "Keys and store (http mode)";

export const stateSettings = {
  signingSecret: {
    kind: text,
    env: "TOKEN_SIGNING_SECRET",
    flag: "token-signing-secret",
    secret: true,
    defaultText: "made once and kept in the state folder",
    mode: "http",
    group: state,
    help: "Seals everything we issue; at least 32 bytes, the same on every replica",
  },
  previousSecrets: {
    kind: text,
    env: "TOKEN_SIGNING_SECRETS_PREVIOUS",
    flag: "token-signing-secrets-previous",
    secret: true,
    mode: "http",
    group: state,
    help: "Earlier secrets, between blanks, that still open what they sealed",
  },
  stateDir: {
    kind: path,
    env: "STATE_DIRECTORY",
    flag: "state-directory",
    defaultText: "mcp-doorman below $XDG_STATE_HOME, ~/.local/state or %LOCALAPPDATA%",
    mode: "http",
    group: state,
    help: "The folder of the signing key and the embedded store",
  },
  redisUrl: {
    kind: redisUrl,
    env: "REDIS_URL",
    flag: "redis-url",
    secret: true,
    mode: "http",
    group: state,
    help: "Redis or Valkey as the store, instead of a file; needed by several replicas",
  },
  redisRequired: {
    kind: bool,
    env: "REDIS_REQUIRED",
    flag: "redis-required",
    default: false,
    mode: "http",
    group: state,
    help: "Refuse to start without REDIS_URL",
  },
  redisKeyPrefix: {
    kind: keyPrefix,
    env: "REDIS_KEY_PREFIX",
    flag: "redis-key-prefix",
    default: "mcp-auth-proxy:",
    emptyIsValue: true,
    mode: "http",
    group: state,
    help: "Put before every key in Redis; may be empty",
  },
  replicas: {
    kind: integer(1, 10_000),
    env: "MCP_PROXY_REPLICAS",
    flag: "replicas",
    default: 1,
    mode: "http",
    group: state,
    help: "How many processes serve this URL; more than one needs REDIS_URL",
  },
  workers: {
    kind: integer(1, 256),
    env: "WORKERS",
    flag: "workers",
    default: 1,
    mode: "http",
    group: state,
    help: "How many workers of this process share its port; more than one needs REDIS_URL",
  },
} satisfies Settings;
