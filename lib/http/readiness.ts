/**
 * Whether this process should get requests, and what is amiss when it gets them all the same:
 *
 *     draining                -> 503 shutting_down
 *     store lost              -> 503 store_unavailable   (single use cannot be guaranteed)
 *     IdP never reached       -> 503 idp_not_reached     (nobody could log in; it may be configured wrongly)
 *     IdP or upstream is away -> 200 degraded, with their names: another replica would fare no better
 *     else                    -> 200 ok
 */

/** What readiness rests on. */
export interface ReadinessParts {
  readonly draining: () => boolean;
  /** Rejects while the store is lost. */
  readonly store: () => Promise<void>;
  /** Whether the IdP was reached since the start. */
  readonly idpReached: () => boolean;
  /** Whether the IdP answers now. */
  readonly idp: () => Promise<boolean>;
  /** Whether the upstream accepts connections now. */
  readonly upstream: () => Promise<boolean>;
}

/** An answer to a probe. */
export interface Readiness {
  readonly code: 200 | 503;
  readonly body: { readonly status: string; readonly degraded?: readonly string[] };
}

/** A probe that takes longer has failed. */
const limitMs = 1_000;
/** A good answer of the store is believed for a moment and a bad one for longer, so that probes cost nothing. */
const storeGoodMs = 250;
const storeBadMs = 1_000;
/** The others cost a connection or a request elsewhere. */
const upstreamMs = 5_000;
const idpMs = 30_000;
const idpBadMs = 5_000;

/** Answers probes; those that come together are one. */
export function readiness(parts: ReadinessParts): () => Promise<Readiness> {
  const store = remembered(() => parts.store().then(() => true), { goodMs: storeGoodMs, badMs: storeBadMs });
  const idp = remembered(parts.idp, { goodMs: idpMs, badMs: idpBadMs });
  const upstream = remembered(parts.upstream, { goodMs: upstreamMs, badMs: upstreamMs });

  return async () => {
    if (parts.draining()) return { code: 503, body: { status: "shutting_down" } };
    const [storeThere, idpThere, upstreamThere] = await Promise.all([store(), idp(), upstream()]);
    if (!storeThere) return { code: 503, body: { status: "store_unavailable" } };
    if (!parts.idpReached()) return { code: 503, body: { status: "idp_not_reached" } };
    const degraded = [...(idpThere ? [] : ["idp"]), ...(upstreamThere ? [] : ["upstream"])];
    if (degraded.length > 0) return { code: 200, body: { status: "degraded", degraded } };
    return { code: 200, body: { status: "ok" } };
  };
}

/** The probe's answer, asked for anew when it has become old. */
function remembered(
  probe: () => Promise<boolean>,
  { goodMs, badMs }: { readonly goodMs: number; readonly badMs: number },
): () => Promise<boolean> {
  let known: { readonly good: boolean; readonly untilMs: number } | undefined;
  let asking: Promise<boolean> | undefined;
  return async () => {
    if (known !== undefined && performance.now() < known.untilMs) return known.good;
    asking ??= withinLimit(probe()).then((good) => {
      known = { good, untilMs: performance.now() + (good ? goodMs : badMs) };
      asking = undefined;
      return good;
    });
    return await asking;
  };
}

async function withinLimit(work: Promise<boolean>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
