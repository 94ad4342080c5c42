/** The listener for operators: health, readiness and metrics, on an address that the public does not reach. */
import type { Counters } from "../base/counters.ts";
import { type Gauge, renderMetrics } from "./metrics.ts";

/** What operators may ask about. */
export interface AdminParts {
  readonly counters: Counters;
  readonly gauges: readonly Gauge[];
  /** Resolves when everything that serving needs is there; rejects with what is missing. */
  readonly ready: () => Promise<void>;
  readonly draining: () => boolean;
  /** Carries out a sealed order; `false` when the text is none. Absent: there are no orders. */
  readonly orders?: (text: string) => Promise<boolean>;
}

/** Longer than any order. */
const maxOrderBytes = 16_384;

/** A good answer is believed for a moment and a bad one for longer, so that probes cost nothing. */
const goodForMs = 250;
const badForMs = 1_000;

/** Answers a request on the admin listener. */
export function adminHandler(parts: AdminParts): (request: Request) => Promise<Response> {
  let known: { ok: boolean; untilMs: number } | undefined;
  let asking: Promise<boolean> | undefined;

  const isReady = async (): Promise<boolean> => {
    if (known !== undefined && performance.now() < known.untilMs) return known.ok;
    asking ??= withLimit(parts.ready(), 1_000).then(() => true, () => false).then((ok) => {
      known = { ok, untilMs: performance.now() + (ok ? goodForMs : badForMs) };
      asking = undefined;
      return ok;
    });
    return await asking;
  };

  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/orders" && request.method === "POST" && parts.orders !== undefined) {
      return await order(request, parts.orders);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (pathname) {
      case "/healthz":
        return status(200, "ok");
      case "/readyz":
        if (parts.draining()) return status(503, "shutting_down");
        return await isReady() ? status(200, "ok") : status(503, "store_unavailable");
      case "/metrics": {
        const { text, contentType } = await renderMetrics(parts.counters, parts.gauges);
        return new Response(text, { headers: { "content-type": contentType } });
      }
      default:
        return status(404, "not_found");
    }
  };
}

async function order(request: Request, carryOut: (text: string) => Promise<boolean>): Promise<Response> {
  if (!(Number(request.headers.get("content-length") ?? NaN) <= maxOrderBytes)) {
    return status(413, "too_large");
  }
  try {
    return await carryOut(await request.text()) ? status(200, "ok") : status(403, "refused");
  } catch {
    return status(503, "store_unavailable");
  }
}

function status(code: number, word: string): Response {
  return Response.json({ status: word }, { status: code, headers: { "cache-control": "no-store" } });
}

async function withLimit<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("too slow")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
