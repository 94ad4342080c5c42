/**
 * The keys of a deployment. Every secret gives one AES-256-GCM key per purpose (HKDF-SHA-256, RFC 5869), so that a text
 * sealed for one purpose is noise to any other. The first secret seals; all of them open.
 */
import { dirname } from "node:path";
import { UserError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { readPrivateFile } from "../base/files.ts";
import { createPrivateFile, ensureStateFolder } from "../base/state_folder.ts";
import type { KeyConfig } from "./config.ts";
import type { Purpose } from "./sealer.ts";
import { minSecretBytes, secretWeakness } from "./secret_strength.ts";

/** The keys by id and purpose. */
export interface KeyRing {
  /** The ids, the sealing one first; each is derived from its secret and says nothing about it. */
  readonly kids: readonly [string, ...string[]];
  /** The key of a purpose, derived at first use. `kid` must be one of `kids`. */
  key(kid: string, purpose: Purpose): Promise<CryptoKey>;
}

const encoder = new TextEncoder();

/** The ring of these secrets, newest first. Throws a `UserError` for one that is too short. */
export async function keyRing(secrets: readonly [string, ...string[]]): Promise<KeyRing> {
  const masters = new Map<string, CryptoKey>();
  for (const [at, secret] of secrets.entries()) {
    if (secretWeakness(secret) === "too_short") {
      throw new UserError(
        `Cannot use the ${at === 0 ? "" : "previous "}signing secret: shorter than ${minSecretBytes} bytes`,
        { hint: "`mcp-doorman secret` prints a good one.", exitCode: 2 },
      );
    }
    const bytes = encoder.encode(secret);
    const master = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);
    const id = await crypto.subtle.deriveBits(hkdf("key id"), master, 48);
    masters.set(new Uint8Array(id).toBase64({ alphabet: "base64url" }), master);
  }
  const keys = new Map<string, Promise<CryptoKey>>();
  const [first, ...rest] = [...masters.keys()];
  if (first === undefined) throw new TypeError("a ring needs a secret");
  return {
    kids: [first, ...rest],
    key(kid, purpose) {
      const name = `${kid} ${purpose}`;
      let key = keys.get(name);
      const master = masters.get(kid);
      if (master === undefined) return Promise.reject(new TypeError(`no key ${kid}`));
      if (key === undefined) {
        const usages: KeyUsage[] = ["encrypt", "decrypt"];
        key = crypto.subtle.deriveKey(hkdf(`purpose ${purpose}`), master, aes, false, usages);
        keys.set(name, key);
      }
      return key;
    },
  };
}

const aes = { name: "AES-GCM", length: 256 };

function hkdf(info: string) {
  return {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(32),
    info: encoder.encode(`mcp-doorman ${info}`),
  };
}

/**
 * The ring of a configuration. Without a secret one is made and kept in `keyFile`; processes that start at the same
 * time agree on it.
 * @throws UserError when the file cannot be made, or when somebody else could have read or written it.
 */
export async function openKeyRing(config: KeyConfig, log: Logger): Promise<KeyRing> {
  const secret = config.secret ?? await keptSecret(config.keyFile, log);
  if (config.previousSecrets.length > 0) {
    log.info("token_signing_rotation_in_progress", { count: config.previousSecrets.length });
  }
  return await keyRing([secret, ...config.previousSecrets]);
}

async function keptSecret(file: string, log: Logger): Promise<string> {
  await ensureStateFolder(dirname(file));
  for (let attempt = 0; attempt < 2; attempt++) {
    const kept = readPrivateFile(file)?.trim();
    if (kept !== undefined) {
      if (secretWeakness(kept) === undefined) return kept;
      throw new UserError(`Cannot use the signing key in ${file}: it is not what was written there`, {
        hint: "Restore it from a backup, or remove it: a new one is made and everybody logs in again.",
      });
    }
    const made = crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url" });
    if (await createPrivateFile(file, `${made}\n`)) {
      log.info("signing_key_created", { file, hint: "keep it: without it everybody logs in again" });
    }
  }
  throw new UserError(`Cannot keep the signing key in ${file}: it disappears again`);
}
