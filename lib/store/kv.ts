/**
 * The store in a file: Deno KV on an explicit path. One process owns the file (`state_lock.ts`); a second one would get
 * "database is locked". Values carry their own expiry, because KV deletes late.
 */
import { dirname } from "node:path";
import { UserError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { ensureStateFolder } from "../base/state_folder.ts";
import { type Key, type Store, StoreUnavailable } from "./store.ts";

/** What is written: the value's JSON, so that all stores keep the same things, and when it ends. */
interface Kept {
  readonly json: string;
  readonly expiresAtMs: number;
}

/** KV allows 65,536 bytes for the whole record. */
const maxValueBytes = 65_000;
/** Racing additions to one counter before it is called unavailable. */
const maxAttempts = 1_000;

/** The store over an open database. */
export function kvStore(kv: Deno.Kv, clock: Clock): Store {
  async function live(key: Key) {
    const entry = await kv.get<Kept>(key);
    const kept = entry.value !== null && clock.now() < entry.value.expiresAtMs ? entry.value : undefined;
    return { kept, version: kept && (entry.versionstamp ?? undefined), versionstamp: entry.versionstamp };
  }

  /** Writes if nobody else wrote since `versionstamp` was read; without one, always. */
  async function write(key: Key, json: string, expiresAtMs: number, versionstamp?: string | null) {
    const atomic = kv.atomic();
    if (versionstamp !== undefined) atomic.check({ key, versionstamp });
    const kept: Kept = { json, expiresAtMs };
    return (await atomic.set(key, kept, { expireIn: Math.max(1, expiresAtMs - clock.now()) }).commit()).ok;
  }

  return {
    get: <T>(key: Key) =>
      guarded(async () => {
        const { kept, version } = await live(key);
        return kept && version ? { value: JSON.parse(kept.json) as T, version } : undefined;
      }),
    put: (key, value, ttlMs) =>
      guarded(async () => {
        await write(key, toJson(key, value), clock.now() + ttlMs);
      }),
    putIf: (key, version, value, ttlMs) =>
      guarded(async () => {
        const found = await live(key);
        if (found.version !== version) return false;
        return await write(key, toJson(key, value), clock.now() + ttlMs, found.versionstamp);
      }),
    add: (key, amount, ttlMs) =>
      guarded(async () => {
        for (let attempt = 0; attempt < maxAttempts; attempt++) {
          const { kept, versionstamp } = await live(key);
          const sum = (kept === undefined ? 0 : Number(JSON.parse(kept.json))) + amount;
          const expiresAtMs = kept?.expiresAtMs ?? clock.now() + ttlMs;
          if (await write(key, JSON.stringify(sum), expiresAtMs, versionstamp)) return sum;
        }
        throw new StoreUnavailable(`Cannot add to ${key[0]}: too many at once`);
      }),
    delete: (key) => guarded(() => kv.delete(key)),
    deleteIf: (key, version) =>
      guarded(async () => {
        const found = await live(key);
        if (found.version !== version) return false;
        return (await kv.atomic().check({ key, versionstamp: found.versionstamp }).delete(key).commit()).ok;
      }),
    ping: () =>
      guarded(async () => {
        await kv.get(["ping"]);
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
}

/**
 * Opens the file, making it (0600, in a folder of 0700) where it is missing, and proves that it keeps what is written
 * to it: writes, closes, opens again, reads. A file that is no database any more is set aside, with a line in the log.
 * @throws UserError when there is nowhere to write.
 */
export async function openKv(path: string, clock: Clock, log: Logger): Promise<Store> {
  await ensureStateFolder(dirname(path));
  try {
    return kvStore(await openProven(path), clock);
  } catch (error) {
    if (!isCorrupt(error)) throw cannotOpen(path, error);
    const aside = `${path}.corrupt-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, "")}`;
    for (const suffix of ["-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
    await Deno.rename(path, aside);
    log.error("store_file_corrupt", {
      file: path,
      detail: `moved to ${aside}`,
      cause: (error as Error).message,
      hint: "single-use marks and revocations in it are lost; set REVOKE_BEFORE to now if that matters",
    });
  }
  try {
    return kvStore(await openProven(path), clock);
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

async function openProven(path: string): Promise<Deno.Kv> {
  const key = ["self-test"];
  const mark = crypto.randomUUID();
  // KV makes its file with the process's umask; one that exists already keeps its mode, and lends it to its journals.
  (await Deno.open(path, { create: true, write: true, mode: 0o600 })).close();
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
  const first = await Deno.openKv(path);
  try {
    await first.set(key, mark);
  } finally {
    first.close();
  }
  const kv = await Deno.openKv(path);
  try {
    if ((await kv.get(key)).value !== mark) {
      throw new Error("what was written is not there after opening it again");
    }
    await kv.delete(key);
  } catch (error) {
    kv.close();
    throw error;
  }
  return kv;
}

/** SQLite's words for SQLITE_NOTADB and SQLITE_CORRUPT. */
function isCorrupt(error: unknown): boolean {
  return error instanceof Error && /not a database|malformed/i.test(error.message);
}

function cannotOpen(path: string, cause: unknown): UserError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new UserError(`Cannot open the store ${path}: ${message}`, {
    hint: /locked/i.test(message)
      ? "Another process has it open; several processes share a store through REDIS_URL."
      : "Check that the disk is not full and that this user may write there.",
    cause,
  });
}

function toJson(key: Key, value: unknown): string {
  const json = JSON.stringify(value);
  if (new TextEncoder().encode(json).length > maxValueBytes) {
    throw new RangeError(`Cannot keep ${key[0]}: its value is longer than ${maxValueBytes} bytes`);
  }
  return json;
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof StoreUnavailable || cause instanceof RangeError) throw cause;
    throw new StoreUnavailable(`The store file failed: ${(cause as Error).message}`, { cause });
  }
}
