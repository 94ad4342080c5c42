/** The listener for operators: health, readiness and metrics, on an address that the public does not reach. */
import type { Counters } from "../base/counters.ts";
import type { Incoming } from "./incoming.ts";
import { type Gauge, renderMetrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

/** What operators may ask about. */
export interface AdminParts {
  readonly counters: Counters;
  readonly gauges: readonly Gauge[];
  readonly ready: () => Promise<Readiness>;
  /** Carries out a sealed order; `false` when the text is none. Absent: there are no orders. */
  readonly orders?: (text: string) => Promise<boolean>;
}

/** Longer than any order. */
const maxOrderBytes = 16_384;

/** Answers a request on the admin listener. */
export function adminHandler(parts: AdminParts): (request: Incoming) => Promise<Response> {
  return async (request) => {
    if (!URL.canParse(request.url)) return answer(400, { status: "bad_target" });
    const { pathname } = new URL(request.url);
    if (pathname === "/orders" && request.method === "POST" && parts.orders !== undefined) {
      return await order(request, parts.orders);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (pathname) {
      case "/healthz":
        return answer(200, { status: "ok" });
      case "/readyz": {
        const { code, body } = await parts.ready();
        return answer(code, body);
      }
      case "/metrics": {
        const { text, contentType } = await renderMetrics(parts.counters, parts.gauges);
        return new Response(text, { headers: { "content-type": contentType } });
      }
      default:
        return answer(404, { status: "not_found" });
    }
  };
}

async function order(request: Incoming, carryOut: (text: string) => Promise<boolean>): Promise<Response> {
  if (!(Number(request.headers.get("content-length") ?? NaN) <= maxOrderBytes)) {
    return answer(413, { status: "too_large" });
  }
  try {
    return await carryOut(new TextDecoder().decode(await request.bytes()))
      ? answer(200, { status: "ok" })
      : answer(403, { status: "refused" });
  } catch {
    return answer(503, { status: "store_unavailable" });
  }
}

function answer(code: number, body: Readiness["body"]): Response {
  return Response.json(body, { status: code, headers: { "cache-control": "no-store" } });
}
