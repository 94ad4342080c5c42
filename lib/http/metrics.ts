/** The metrics endpoint: counters and gauges rendered by prom-client, which is loaded at the first scrape. */
import type { Counters } from "../base/counters.ts";

/** A value that is read when it is asked for. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  read(): number;
}

/** What a counter means; one that is missing here is shown without a text. */
const helps: Readonly<Record<string, string>> = {
  mcp_auth_tokens_issued_total: "Tokens issued, by grant type",
  mcp_auth_access_denied_total: "Refusals, by reason",
  mcp_auth_replay_detected_total: "Used marks seen again, by kind",
  mcp_auth_clients_registered_total: "Dynamic client registrations",
  mcp_auth_rate_limited_total: "Requests refused by a rate limit, by endpoint",
  mcp_auth_consent_decisions_total: "Decisions on the consent page",
  mcp_auth_authorize_initiated_total: "Valid authorization requests, by path",
  mcp_auth_token_seals_total: "Texts sealed, by purpose",
  mcp_doorman_requests_total: "Requests, by route and status class",
  mcp_doorman_request_seconds_total: "Time spent on requests, by route",
  mcp_doorman_upstream_failures_total: "Requests that the upstream did not answer, by kind",
};

/** The text that a scraper gets, and its content type. */
export async function renderMetrics(
  counters: Counters,
  gauges: readonly Gauge[],
): Promise<{ readonly text: string; readonly contentType: string }> {
  // The default: a CommonJS package in a split bundle has no names of its own.
  const { default: prom } = await import("prom-client");
  const registry = new prom.Registry();
  const made = new Map<string, InstanceType<typeof prom.Counter>>();
  for (const { name, labels, value } of counters.entries()) {
    let counter = made.get(name);
    if (counter === undefined) {
      counter = new prom.Counter({
        name,
        help: helps[name] ?? name,
        labelNames: Object.keys(labels),
        registers: [registry],
      });
      made.set(name, counter);
    }
    counter.inc({ ...labels }, value);
  }
  for (const { name, help, read } of gauges) {
    new prom.Gauge({ name, help, registers: [registry] }).set(read());
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}
