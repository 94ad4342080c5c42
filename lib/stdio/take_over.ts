/** Taking over a predecessor's login, once for each grant, and keeping it as ours. */
import { homeDir } from "../base/files.ts";
import { describeError } from "../base/errors.ts";
import type { Grant } from "./grant.ts";
import { importSeed } from "./import_seeds.ts";
import type { LoginContext } from "./login_context.ts";

/** The login that was found, already in the cache. Whatever goes wrong only means that the user logs in. */
export async function takeOver(context: LoginContext, issuer: string): Promise<Grant | undefined> {
  const { cache, config, key, log, signal } = context;
  if (config.grant !== "authorization_code") return undefined;
  try {
    if (!await cache.use((access) => access.firstTime(`old-login ${key}`), signal)) return undefined;
    const grant = await importSeed(context, issuer, homeDir((name) => Deno.env.get(name) || undefined));
    if (grant !== undefined) await cache.use((access) => access.putGrant(key, grant), signal);
    return grant;
  } catch (error) {
    signal.throwIfAborted();
    log.debug("old_login_not_read", { cause: describeError(error) });
    return undefined;
  }
}
