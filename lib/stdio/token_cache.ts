/**
 * The token cache: a Deno KV file in a private folder. Deno KV suffers one process per file at a time (others get
 * "database is locked"), so each use is: take the machine's lock, open, read or write, close, let go; about 9 ms.
 *
 *   <folder>/tokens.kv      0600, grants and client registrations
 *   <folder>/tokens.lock    0600, empty
 *   <folder>/login-….lock   0600, empty; one per grant, see tokens.ts
 *
 * No version is part of a path, so that an upgrade logs nobody out; what cannot be understood is asked for anew.
 */
import { UserError } from "../base/errors.ts";
import { checkPrivate, ensurePrivateFile, openPrivateDir } from "../base/files.ts";
import type { Logger } from "../base/log.ts";
import type { Grant } from "./grant.ts";
import { deleteValue, readValue, readValues, writeValue } from "./kv_values.ts";
import { lockMachine } from "./machine_lock.ts";

/** A client that an authorization server has registered for us (RFC 7591). */
export interface Registration {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authMethod?: string;
  readonly redirectUris: readonly string[];
  /** Absent: never. */
  readonly secretExpiresAtMs?: number;
}

/** Why a login did not happen, for the processes that waited for it. */
export interface LoginFailure {
  readonly atMs: number;
  readonly message: string;
  readonly hint?: string;
}

/** One opening of the cache. */
export interface CacheAccess {
  grant(key: string): Promise<Grant | undefined>;
  putGrant(key: string, grant: Grant): Promise<void>;
  deleteGrant(key: string): Promise<void>;
  grants(): Promise<readonly (readonly [key: string, grant: Grant])[]>;
  registration(key: string): Promise<Registration | undefined>;
  putRegistration(key: string, registration: Registration): Promise<void>;
  deleteRegistration(key: string): Promise<void>;
  /** The last login for this grant that a person or a server refused. */
  failure(key: string): Promise<LoginFailure | undefined>;
  putFailure(key: string, failure: LoginFailure): Promise<void>;
  /** Says once for each name that it has not been said before, over all processes. */
  firstTime(name: string): Promise<boolean>;
}

/** Opens the cache for as long as the work takes. */
export interface TokenCache {
  readonly dir: string;
  /** @throws UserError when folder or file are not private or cannot be written. */
  use<T>(work: (access: CacheAccess) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** The cache in a folder, which is made when first used. */
export function tokenCache(dir: string, log: Logger): TokenCache {
  return {
    dir,
    async use(work, signal) {
      openPrivateDir(dir);
      using _held = await lockMachine(`${dir}/tokens.lock`, signal);
      const path = `${dir}/tokens.kv`;
      try {
        return await withKv(path, work);
      } catch (error) {
        if (!isCorrupt(error)) throw inAFullSentence(error, path);
        setAside(path, log, error);
        return await withKv(path, work);
      }
    },
  };
}

async function withKv<T>(path: string, work: (access: CacheAccess) => Promise<T>): Promise<T> {
  ensurePrivateFile(path);
  for (const suffix of ["-wal", "-shm"]) checkPrivate(path + suffix, "file");
  const kv = await Deno.openKv(path);
  try {
    return await work(access(kv));
  } finally {
    kv.close();
  }
}

function access(kv: Deno.Kv): CacheAccess {
  const get = (kind: string, key: string) => readValue(kv, [kind, key]);
  const put = (kind: string, key: string, value: unknown) => writeValue(kv, [kind, key], value);
  return {
    grant: async (key) => asGrant(await get("grant", key)),
    putGrant: (key, grant) => put("grant", key, grant),
    deleteGrant: (key) => deleteValue(kv, ["grant", key]),
    async grants() {
      return (await readValues(kv, "grant")).flatMap(([key, value]) => {
        const grant = asGrant(value);
        return grant === undefined ? [] : [[key, grant] as const];
      });
    },
    registration: async (key) => asRegistration(await get("client", key)),
    putRegistration: (key, registration) => put("client", key, registration),
    deleteRegistration: (key) => deleteValue(kv, ["client", key]),
    failure: async (key) => await get("failure", key) as LoginFailure | undefined,
    putFailure: (key, failure) => put("failure", key, failure),
    async firstTime(name) {
      if (await get("said", name) !== undefined) return false;
      await put("said", name, true);
      return true;
    },
  };
}

/** What an older or newer version wrote and we do not understand counts as absent. */
function asGrant(value: unknown): Grant | undefined {
  const grant = value as Partial<Grant> | null | undefined;
  const texts = [grant?.upstream, grant?.issuer, grant?.clientId, grant?.profile, grant?.accessToken];
  const known = texts.every((text) => typeof text === "string") && typeof grant?.obtainedAtMs === "number" &&
    Array.isArray(grant.scopesAsked);
  return known ? value as Grant : undefined;
}

function asRegistration(value: unknown): Registration | undefined {
  const found = value as Partial<Registration> | null | undefined;
  return typeof found?.clientId === "string" && typeof found.issuer === "string" &&
      Array.isArray(found.redirectUris)
    ? value as Registration
    : undefined;
}

/** What the database says of a disk that is full or cannot be written names neither the file nor a way out. */
function inAFullSentence(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !/disk|readonly|unable to open|file too large/i.test(error.message)) {
    return error;
  }
  if (error instanceof UserError) return error;
  return new UserError(`Cannot use the token cache "${path}": ${error.message}`, {
    hint:
      "Check that the disk is not full and that the folder can be written, or name another with --cache-dir.",
    cause: error,
  });
}

function isCorrupt(error: unknown): boolean {
  return error instanceof Error && /not a database|malformed|corrupt|file is encrypted/i.test(error.message);
}

function setAside(path: string, log: Logger, error: unknown): void {
  const aside = `${path}.corrupt-${Date.now()}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (failure) {
      if (!(failure instanceof Deno.errors.NotFound)) throw failure;
    }
  }
  log.warn("token_cache_set_aside", {
    file: aside,
    cause: (error as Error).message,
    hint: "The cache could not be read; you will be asked to log in again.",
  });
}
