/**
 * The store shared by replicas: Redis or Valkey. A record is `version\njson`; what compares and what counts is done
 * by scripts, so that it is one step for everybody. Times are the server's.
 *
 * Nothing waits for a lost server: while there is no connection every call fails at once, and the client connects
 * again in the background.
 */
import type { Redis as Client } from "ioredis";
import { UserError } from "../base/errors.ts";
import { type Logger, safeUrl } from "../base/log.ts";
import { type Key, type Store, StoreUnavailable } from "./store.ts";

/** How to reach the server. */
export interface RedisConfig {
  /** `redis://` or `rediss://`, with user, password and database number where needed. */
  readonly url: string;
  readonly keyPrefix: string;
  /** PEM certificates that `rediss://` trusts beside the system's. */
  readonly caCerts?: readonly string[];
}

/** Until one command is answered; milliseconds. */
const commandTimeoutMs = 900;
const connectTimeoutMs = 2_000;

/** KEYS[1]; ARGV: wanted version (empty: must not exist), new record, life in milliseconds. */
const putIfScript = `
local found = redis.call('GET', KEYS[1])
if ARGV[1] == '' then
  if found then return 0 end
elseif not found or string.sub(found, 1, #ARGV[1] + 1) ~= ARGV[1] .. '\\n' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** KEYS[1]; ARGV: wanted version. */
const deleteIfScript = `
local found = redis.call('GET', KEYS[1])
if not found or string.sub(found, 1, #ARGV[1] + 1) ~= ARGV[1] .. '\\n' then return 0 end
return redis.call('DEL', KEYS[1])`;

/** KEYS[1]; ARGV: new version, amount, life in milliseconds of a new counter. */
const addScript = `
local found = redis.call('GET', KEYS[1])
local sum = tonumber(ARGV[2])
local life = tonumber(ARGV[3])
if found then
  sum = sum + tonumber(string.sub(found, string.find(found, '\\n', 1, true) + 1))
  life = redis.call('PTTL', KEYS[1])
end
redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. string.format('%.0f', sum), 'PX', math.max(1, life))
return sum`;

interface Scripts {
  putIf(key: string, version: string, record: string, ttlMs: number): Promise<number>;
  deleteIf(key: string, version: string): Promise<number>;
  addTo(key: string, version: string, amount: number, ttlMs: number): Promise<number>;
}

/**
 * Connects and asks once. A server that cannot be reached is waited for in the background, with a line in the log.
 * @throws UserError when the address is wrong or the server refuses the user or password.
 */
export async function openRedis(config: RedisConfig, log: Logger): Promise<Store> {
  const client = await connectable(config);
  const address = safeUrl(config.url);
  const lastError = watch(client, address, log);
  const store = redisStore(client, config.keyPrefix);
  try {
    await client.connect();
    await store.ping();
  } catch (error) {
    const cause = lastError() ?? error;
    const message = refusalOf(cause);
    if (message !== undefined) {
      client.disconnect();
      throw new UserError(`Cannot use Redis at ${address}: ${message}`, {
        hint: "Check user and password in REDIS_URL, and that the user may run scripts on these keys.",
        cause,
      });
    }
    // It has been logged, and the client goes on trying.
  }
  return store;
}

async function connectable({ url, caCerts }: RedisConfig): Promise<Client & Scripts> {
  const ioredis = await import("ioredis");
  // A bundle knows what CommonJS exports as the default only.
  const Redis = ioredis.Redis ?? ioredis.default;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // One command less that the server's user has to be allowed (docs/redis.md).
    disableClientInfo: true,
    // After a failover the name leads to the new primary, and this connection to what has become a replica.
    reconnectOnError: (error) => error.message.includes("READONLY"),
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1_000),
    ...(caCerts && caCerts.length > 0 && url.startsWith("rediss:") ? { tls: { ca: [...caCerts] } } : {}),
  });
  client.defineCommand("putIf", { numberOfKeys: 1, lua: putIfScript });
  client.defineCommand("deleteIf", { numberOfKeys: 1, lua: deleteIfScript });
  client.defineCommand("addTo", { numberOfKeys: 1, lua: addScript });
  return client as Client & Scripts;
}

/**
 * Writes one line when the connection is lost and one when it is back (without a listener ioredis writes its own), and
 * returns what tells the connection's last error: `connect()` only ever says that it is closed.
 */
function watch(client: Client, address: string, log: Logger): () => Error | undefined {
  let lost = false;
  let last: Error | undefined;
  client.on("error", (error: Error) => last = error);
  client.on("reconnecting", () => {
    if (!lost) log.warn("store_lost", { url: address, cause: last?.message ?? "connection closed" });
    lost = true;
  });
  client.on("ready", () => {
    if (lost) log.info("store_recovered", { url: address });
    lost = false;
    last = undefined;
  });
  return () => last;
}

/** What the server says when it is there and will not have us. */
function refusalOf(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : "";
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR (invalid|DB index|AUTH|unknown command))/i.test(message)
    ? message
    : undefined;
}

function redisStore(client: Client & Scripts, prefix: string): Store {
  const name = (key: Key) =>
    prefix + key.map((part) => part.replaceAll(/[%:]/g, encodeURIComponent)).join(":");
  const life = (ttlMs: number) => Math.max(1, Math.ceil(ttlMs));

  return {
    get: <T>(key: Key) =>
      guarded(async () => {
        const found = await client.get(name(key));
        if (found === null) return undefined;
        const end = found.indexOf("\n");
        return { value: JSON.parse(found.slice(end + 1)) as T, version: found.slice(0, end) };
      }),
    put: (key, value, ttlMs) =>
      guarded(async () => {
        await client.set(name(key), record(value), "PX", life(ttlMs));
      }),
    putIf: (key, version, value, ttlMs) =>
      guarded(async () => await client.putIf(name(key), version ?? "", record(value), life(ttlMs)) === 1),
    add: (key, amount, ttlMs) =>
      guarded(() => client.addTo(name(key), crypto.randomUUID(), amount, life(ttlMs))),
    delete: (key) =>
      guarded(async () => {
        await client.del(name(key));
      }),
    deleteIf: (key, version) => guarded(async () => await client.deleteIf(name(key), version) === 1),
    ping: () =>
      guarded(async () => {
        await client.ping();
      }),
    redis: { client, keyPrefix: prefix },
    [Symbol.asyncDispose]: () => Promise.resolve(client.disconnect()),
  };
}

function record(value: unknown): string {
  return `${crypto.randomUUID()}\n${JSON.stringify(value)}`;
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new StoreUnavailable(`Redis failed: ${(cause as Error).message}`, { cause });
  }
}
