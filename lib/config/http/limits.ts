import type { LimitsConfig } from "../../http/config.ts";
import type { Reading } from "../reading.ts";

/** The limits, and what the log should say about old names. */
export function limitsConfig({ values, given, warnings }: Reading): LimitsConfig {
  const trusted = values.trustedProxyCidrs.length > 0;
  if (values.trustProxyHeaders) {
    warnings.push({
      event: trusted ? "trust_proxy_headers_superseded_by_cidrs" : "trust_proxy_headers_deprecated",
      setting: "TRUST_PROXY_HEADERS",
      hint: "name the proxies' networks in TRUSTED_PROXY_CIDRS and leave this out",
    });
  }
  if (given.has("cspFormActionExtra")) {
    warnings.push({
      event: "csp_form_action_extra_deprecated",
      setting: "CSP_FORM_ACTION_EXTRA",
      hint: "it has no effect any more; leave it out",
    });
  }
  return {
    enabled: values.rateLimitEnabled,
    perMinute: {
      discovery: values.rateDiscovery,
      register: values.rateRegister,
      authorize: values.rateAuthorize,
      consent: values.rateConsent,
      callback: values.rateCallback,
      token: values.rateToken,
      mcp: values.rateMcp,
    },
    perSubjectConcurrency: values.perSubjectConcurrency ?? 16,
    perSubjectPerMinute: values.perSubjectPerMinute ?? 0,
    trustedProxies: values.trustedProxyCidrs,
    trustedProxyHeader: values.trustedProxyHeader,
    trustAnyProxy: values.trustProxyHeaders && !trusted,
    maxBodyBytes: values.maxBodyBytes,
    bodyReadTimeoutMs: values.bodyReadTimeoutMs,
    headerReadTimeoutMs: values.headerReadTimeoutMs,
    idleTimeoutMs: values.idleTimeoutMs,
  };
}
