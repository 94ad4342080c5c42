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
import { missingScopes } from "../oauth/scope.ts";
import { explain } from "./discovery.ts";
import { type Grant, isAlive, isFresh } from "./grant.ts";
import { logIn } from "./log_in.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";
import { refresh } from "./refresh.ts";
import { noteTokenEvent } from "./token_log.ts";
import { takeTurn } from "./turn.ts";

/** Why a token is wanted, and how far we may go for it. */
export interface Need {
  /** The access token that was refused; any other that lives is better. */
  readonly refused?: string;
  /** Scopes that the token must have been asked for; a refresh cannot add any. */
  readonly scopes?: readonly string[];
  /** Where to log in when it comes to that; absent: nobody is to be asked, a refresh is all. */
  readonly door?: () => Promise<Door>;
  /** The refusal may point to another server than the one that the grant is from: look before refreshing. */
  readonly mayHaveMoved?: boolean;
  /** The user asked to log in, whatever is there; only a login that ended while we waited will do. */
  readonly always?: boolean;
}

/** A token refused so soon after it was given is refused for another reason than its age. */
const tooSoonMs = 60_000;

/**
 * One renewal of the context's grant; `undefined` when a login would be needed and none is allowed.
 * @throws UserError; the signal's reason when the program ends.
 */
export async function renewGrant(context: LoginContext, need: Need): Promise<Grant | undefined> {
  const { cache, clock, key } = context;
  const sinceMs = clock.now();
  using _turn = await takeTurn(context);
  const [cached, failure] = await cache.use(async (access) =>
    [await access.grant(key), await access.failure(key)] as const
  );
  if (cached !== undefined && isBetter(cached, need, { nowMs: clock.now(), sinceMs })) return cached;
  if (failure !== undefined && failure.atMs >= sinceMs) throw new UserError(failure.message, failure);

  context.report({ state: "working", doing: "asking for a token" });
  try {
    return await renewInTurn(context, need, cached);
  } catch (error) {
    context.signal.throwIfAborted();
    throw explain(error);
  }
}

async function renewInTurn(
  context: LoginContext,
  need: Need,
  cached: Grant | undefined,
): Promise<Grant | undefined> {
  const isYoung = (sinceMs: number) => context.clock.now() - sinceMs < tooSoonMs;
  const found = need.mayHaveMoved ? await need.door?.() : undefined;
  const moved = found !== undefined && cached !== undefined && found.server.issuer !== cached.issuer;
  const stubborn = cached !== undefined && cached.accessToken === need.refused &&
    isYoung(cached.obtainedAtMs);
  const wasRefreshed = stubborn && cached.obtainedAtMs > cached.loggedInAtMs;
  const isLogin = need.always || need.scopes !== undefined;
  const outcome = isLogin || moved || wasRefreshed ? "kept" : await refresh(context, cached);
  if (outcome !== "kept" && outcome !== "over") return await save(context, outcome);

  const door = found ?? await need.door?.();
  if (door === undefined) return undefined;
  requireSameIssuer(context, door, cached);
  if (stubborn && !isLogin && !moved && outcome === "kept" && isYoung(cached.loggedInAtMs)) {
    throw loginFailed(
      `${context.upstreamUrl.host} refuses the token that ${cached.issuer} has just given`,
      "The token is probably meant for something else: check scopes, audience and the upstream's own settings.",
    );
  }
  try {
    return await save(context, await logIn(context, door));
  } catch (error) {
    await noteFailure(context, explain(error));
    throw error;
  }
}

function isBetter(
  cached: Grant,
  need: Need,
  { nowMs, sinceMs }: { nowMs: number; sinceMs: number },
): boolean {
  if (need.always) return cached.loggedInAtMs >= sinceMs;
  if (missingScopes(cached.scopesAsked, need.scopes ?? []).length > 0) return false;
  return need.refused === undefined
    ? isFresh(cached, nowMs)
    : cached.accessToken !== need.refused && isAlive(cached, nowMs);
}

/** A configured client belongs to the server it was first used at; another that the upstream names must not see it. */
function requireSameIssuer({ config }: LoginContext, door: Door, cached: Grant | undefined): void {
  if (config.clientId === undefined || cached === undefined || cached.issuer === door.server.issuer) return;
  if (config.issuerUrl !== undefined) return;
  throw loginFailed(
    `the upstream now names ${door.server.issuer} as its authorization server, and OIDC_CLIENT_ID belongs to ${cached.issuer}`,
    "If that is right, set OIDC_ISSUER_URL, or run `mcp-doorman logout` and log in anew.",
  );
}

/** What a person or server said no to, for the processes that wait behind this one. */
async function noteFailure(context: LoginContext, error: unknown): Promise<void> {
  if (!(error instanceof UserError) || context.signal.aborted) return;
  const { message, hint } = error;
  noteTokenEvent(context, "login_failed", message);
  const failure = { atMs: context.clock.now(), message, ...(hint === undefined ? {} : { hint }) };
  await context.cache.use((access) => access.putFailure(context.key, failure));
}

/** A grant that cannot be written is still good for this process. */
async function save(context: LoginContext, grant: Grant): Promise<Grant> {
  try {
    await context.cache.use((access) => access.putGrant(context.key, grant));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.error("token_not_saved", {
      cause: error instanceof Error ? error.message : String(error),
      hint: "The login is lost when this program ends.",
    });
  }
  return grant;
}
