/**
 * Getting a token that is better than the one we have, one process of the machine at a time:
 *
 *     take the lock -> read the cache: did another process do it already? -> refresh -> else log in -> write the cache
 *
 * What was refused for good is thrown away; what could not be asked is kept. Nothing newer than the token that failed
 * is ever deleted, since all of it happens under the lock and after reading anew. The system frees the lock of a
 * process that dies, so that the next one in line takes over at once; one that waited for a login which a person
 * refused does not ask that person again.
 */
import { UserError } from "../base/errors.ts";
import { OAuthFailure } from "../oauth/failure.ts";
import { missingScopes } from "../oauth/scope.ts";
import { knownClient } from "./client_identity.ts";
import { explain, serverOf } from "./discovery.ts";
import { type Grant, isAlive, isFresh } from "./grant.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";
import { lockMachine } from "./machine_lock.ts";
import { grantOf } from "./new_grant.ts";

/** Why a token is wanted, and how far we may go for it. */
export interface Need {
  /** The access token that was refused; any other that lives is better. */
  readonly refused?: string;
  /** Scopes that the token must have been asked for. */
  readonly scopes?: readonly string[];
  /** Where to log in when it comes to that; absent: nobody is to be asked, a refresh is all. */
  readonly door?: () => Promise<Door>;
  /** Do not refresh, since the refreshed token would be refused as well. */
  readonly loginOnly?: boolean;
}

/**
 * One renewal of the grant under this key; `undefined` when a login would be needed and none is allowed.
 * @throws UserError; the signal's reason when the program ends.
 */
export async function renewGrant(context: LoginContext, key: string, need: Need): Promise<Grant | undefined> {
  const { cache, clock } = context;
  const sinceMs = clock.now();
  context.report({ state: "working", doing: "waiting for another instance" });
  using _lock = await lockMachine(`${cache.dir}/login-${key.slice(0, 32)}.lock`, context.signal);
  const [cached, failure] = await cache.use(async (access) =>
    [await access.grant(key), await access.failure(key)] as const
  );
  if (cached !== undefined && isBetter(cached, need, clock.now())) return cached;
  if (failure !== undefined && failure.atMs >= sinceMs) throw new UserError(failure.message, failure);

  context.report({ state: "working", doing: "asking for a token" });
  const fresh = need.loginOnly ? undefined : await refresh(context, key, cached);
  if (fresh !== undefined) return await save(context, key, fresh);
  if (need.door === undefined) return undefined;
  try {
    return await save(context, key, await logIn(context, await need.door(), cached));
  } catch (error) {
    const failed = explain(error);
    if (failed instanceof UserError && !context.signal.aborted) {
      const { message, hint } = failed;
      const entry = { atMs: clock.now(), message, ...(hint === undefined ? {} : { hint }) };
      await cache.use((access) => access.putFailure(key, entry));
    }
    throw failed;
  }
}

function isBetter(cached: Grant, need: Need, nowMs: number): boolean {
  if (missingScopes(cached.scopesAsked, need.scopes ?? []).length > 0) return false;
  return need.refused === undefined
    ? isFresh(cached, nowMs)
    : cached.accessToken !== need.refused && isAlive(cached, nowMs);
}

/** The refreshed grant, or `undefined` when there is nothing to refresh or the server says that it is over. */
async function refresh(
  context: LoginContext,
  key: string,
  old: Grant | undefined,
): Promise<Grant | undefined> {
  if (old?.refreshToken === undefined) return undefined;
  try {
    const server = await serverOf(context, old.issuer);
    const client = await knownClient(context, server, old.clientId);
    if (client === undefined) return undefined;
    const { tokenRequest } = await import("../oauth/client.ts");
    const resource = old.resource === undefined ? [] : [["resource", old.resource] as const];
    const tokens = await tokenRequest(context, {
      server,
      client,
      grantType: "refresh_token",
      parameters: [["refresh_token", old.refreshToken], ...resource],
    });
    context.log.debug("token_refreshed", { issuer: old.issuer });
    return grantOf(context, tokens, { ...old, loggedInAtMs: old.loggedInAtMs });
  } catch (error) {
    context.signal.throwIfAborted();
    // Only the token endpoint's own word ends a grant; metadata that is missing today may be back tomorrow.
    if (!(error instanceof OAuthFailure) || error.kind === "transient" || error.status === undefined) {
      throw explain(error);
    }
    context.log.warn("refresh_refused", { issuer: old.issuer, reason: error.reason, cause: error.message });
    const { refreshToken: _dead, ...rest } = old;
    await context.cache.use((access) => access.putGrant(key, rest));
    return undefined;
  }
}

async function logIn(context: LoginContext, door: Door, old: Grant | undefined): Promise<Grant> {
  const { config, clock, upstreamUrl } = context;
  if (config.grant !== "authorization_code") throw loginFailed(`the grant ${config.grant} is not there yet`);
  const { browserLogin } = await import("./login.ts");
  const { tokens, client } = await browserLogin(context, door);
  const grant = grantOf(context, tokens, {
    upstream: upstreamUrl.href,
    issuer: door.server.issuer,
    clientId: client.clientId,
    profile: config.profile,
    scopesAsked: door.scopes,
    ...(door.resource === undefined ? {} : { resource: door.resource }),
    how: "browser",
    loggedInAtMs: clock.now(),
  });
  context.log.info("logged_in", { issuer: grant.issuer, ...(old === undefined ? {} : { reason: "again" }) });
  if (grant.refreshToken === undefined && grant.expiresAtMs !== undefined) {
    context.log.warn("no_refresh_token", {
      issuer: grant.issuer,
      expiresAt: new Date(grant.expiresAtMs).toISOString(),
      hint: "You will be asked to log in again then; the server may want the scope offline_access.",
    });
  }
  return grant;
}

/** A grant that cannot be written is still good for this process. */
async function save(context: LoginContext, key: string, grant: Grant): Promise<Grant> {
  try {
    await context.cache.use((access) => access.putGrant(key, grant));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.error("token_not_saved", {
      cause: error instanceof Error ? error.message : String(error),
      hint: "The login is lost when this program ends.",
    });
  }
  return grant;
}
