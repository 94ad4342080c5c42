/**
 * Every family of metrics: what it is, its labels, what it means. docs/metrics.md has the same list, held to this one by
 * a test. The `mcp_auth_…` names are those of babs/mcp-auth-proxy.
 */
import type { Counters, Labels } from "../base/counters.ts";

/** One family. */
export interface MetricFamily {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  /**
   * Series that are there with 0 from the start: what rises from nothing to 1 looks to `increase()` like no rise, so an
   * alert would miss the first event.
   */
  readonly fromStart?: readonly Labels[];
}

const counter = (labels: readonly string[], help: string, fromStart?: readonly Labels[]): MetricFamily => ({
  kind: "counter",
  labels,
  help,
  ...(fromStart === undefined ? {} : { fromStart }),
});
const histogram = (labels: readonly string[], help: string): MetricFamily => ({
  kind: "histogram",
  labels,
  help,
});
const gauge = (labels: readonly string[], help: string): MetricFamily => ({ kind: "gauge", labels, help });
const each = (label: string, ...values: string[]): Labels[] => values.map((value) => ({ [label]: value }));

/** By name. */
export const metricTable: Readonly<Record<string, MetricFamily>> = {
  mcp_auth_tokens_issued_total: counter(
    ["grant_type"],
    "Tokens issued: `authorization_code`, `refresh_token`, `machine`",
    each("grant_type", "authorization_code", "refresh_token"),
  ),
  mcp_auth_access_denied_total: counter(
    ["reason"],
    "Refusals; the reasons are those of endpoints.md",
    each("reason", "replay_store_unavailable", "idp_unavailable", "token_revoked_iat_cutoff"),
  ),
  mcp_auth_replay_detected_total: counter(
    ["kind"],
    "Used marks seen again",
    each("kind", "code", "refresh", "consent", "callback_state", "assertion"),
  ),
  mcp_auth_clients_registered_total: counter([], "Dynamic client registrations", [{}]),
  mcp_auth_rate_limited_total: counter(
    ["endpoint"],
    "Requests refused by a rate limit",
    each("endpoint", "discovery", "register", "authorize", "consent", "callback", "token", "mcp"),
  ),
  mcp_auth_idp_exchange_throttled_total: counter([], "Logins that waited for IDP_EXCHANGE_RATE_PER_SEC", [
    {},
  ]),
  mcp_auth_consent_decisions_total: counter(
    ["decision"],
    "Decisions on the consent page",
    each("decision", "approved", "denied"),
  ),
  mcp_auth_authorize_initiated_total: counter(
    ["path"],
    "Valid authorization requests: `consent`, `silent`",
    each("path", "consent", "silent"),
  ),
  mcp_auth_groups_claim_shape_mismatch_total: counter(
    [],
    "Logins whose groups claim was not a list of texts",
    [{}],
  ),
  mcp_auth_token_seals_total: counter(["purpose"], "Texts sealed"),
  mcp_auth_rpc_calls_total: counter(
    ["tool"],
    "Calls of tools (`MCP_TOOL_METRICS`); `_unknown` without a name, `_overflow` past the cap",
  ),
  mcp_auth_rpc_calls_failed_total: counter(["tool"], "Calls of tools answered with a status of 400 or more"),
  mcp_auth_rpc_request_bytes_total: counter(["tool"], "Bytes of the requests of single calls"),
  mcp_auth_rpc_response_bytes_total: counter(["tool"], "Bytes of the answers to single calls"),
  mcp_auth_rpc_batches_total: counter([], "Batches with calls of tools"),
  mcp_auth_rpc_batches_failed_total: counter([], "Such batches answered with a status of 400 or more"),
  mcp_auth_rpc_batch_bytes_total: counter(["direction"], "Bytes of such batches: `request`, `response`"),
  mcp_doorman_requests_total: counter(["route", "status"], "Requests on the public listener"),
  mcp_doorman_request_seconds: histogram(["route"], "Time until the answer began"),
  mcp_doorman_upstream_seconds: histogram([], "Time until the upstream's answer began"),
  mcp_doorman_upstream_answers_total: counter(["status"], "Answers of the upstream"),
  mcp_doorman_upstream_failures_total: counter(
    ["kind"],
    "Requests that the upstream did not answer, or not so that it could be passed on",
    each("kind", "unreachable", "timeout", "redirect", "broken", "refused"),
  ),
  mcp_doorman_idp_seconds: histogram(["call"], "Time that calls of the IdP took"),
  mcp_doorman_idp_calls_total: counter(
    ["call", "outcome"],
    "Calls of the IdP: `discovery`, `keys`, `exchange`, `refresh`, `revoke`, `outbound`; `ok`, `refused`, `failed`",
  ),
  mcp_doorman_idp_reached: gauge([], "1 once the IdP was reached"),
  mcp_doorman_store_seconds: histogram(["operation"], "Time that calls of the store took"),
  mcp_doorman_store_calls_total: counter(
    ["operation", "outcome"],
    "Calls of the store; `ok`, `failed`",
  ),
  mcp_doorman_store_up: gauge([], "1 while the store answers, 0 since a call failed"),
  mcp_doorman_streams_open: gauge([], "Event streams that are open"),
  mcp_doorman_login_steps_total: counter(
    ["step", "client"],
    "Steps of logins: `registered`, `authorize`, `consent`, `idp`, `callback`, `token`, `first_request`; by the name a client registered, at most 50 apart",
  ),
  mcp_doorman_token_unused_total: counter(["client"], "Logins after which no request came within 60 s"),
  mcp_doorman_tls_reloads_total: counter(
    ["outcome"],
    "Changes of the certificate on disk",
    each("outcome", "ok", "failed"),
  ),
};

/** Has the series there that are known from the start. */
export function announceMetrics(counters: Counters): void {
  for (const [name, { fromStart = [] }] of Object.entries(metricTable)) {
    for (const labels of fromStart) counters.series(name, labels);
  }
}
