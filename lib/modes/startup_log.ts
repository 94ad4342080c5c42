/** The first lines of http mode: which build runs, how strictly it was configured, and what is wrong with that. */
import type { Logger } from "../base/log.ts";
import { build, projectUrl, runtime } from "../base/version.ts";
import type { HttpConfig } from "../http/config.ts";

/** Logs them. No value that could be secret is among them: such settings appear as set or not. */
export function logStart(config: HttpConfig, log: Logger): void {
  const { version, commit, date, builder } = build;
  log.info("starting", {
    version,
    commit,
    ...(date === "" ? {} : { date, builder }),
    runtime,
    url: projectUrl,
    mode: "http",
    pid: Deno.pid,
  });
  log.info("startup_config", { detail: listed(postureOf(config)) });
  log.info("startup_limits", { detail: listed(limitsOf(config)) });
  for (const { event, setting, hint } of config.warnings ?? []) log.warn(event, { setting, hint });
}

type Posture = Readonly<Record<string, string | number | boolean>>;

function listed(posture: Posture): string {
  return Object.entries(posture).map(([name, value]) => `${name}=${value}`).join(" ");
}

function limitsOf({ limits, accessLog, toolMetrics }: HttpConfig): Posture {
  return {
    rate_limit_enabled: limits.enabled,
    trust_proxy_headers: limits.trustAnyProxy,
    trusted_proxies: limits.trustedProxies.length,
    per_subject_concurrency: limits.perSubjectConcurrency,
    per_subject_per_minute: limits.perSubjectPerMinute,
    access_log_skip_set: accessLog.skip !== undefined,
    hash_subjects: accessLog.hashSubjects,
    tool_metrics_enabled: toolMetrics.enabled,
    tool_metrics_max_cardinality: toolMetrics.maxCardinality,
  };
}

function postureOf(config: HttpConfig): Posture {
  const { inbound, outbound } = config;
  const bridge = inbound.shape === "bridge" ? inbound : undefined;
  const allow = inbound.shape === "none" ? undefined : inbound.allow;
  const anyListed = allow === undefined
    ? false
    : [allow.subjects, allow.emails, allow.domains, allow.groups].some((list) => list.length > 0);
  return {
    dialect: config.dialect,
    inbound: bridge?.idp.provider ?? inbound.shape,
    outbound: outbound.mode,
    store: config.store.kind,
    ...(bridge === undefined ? {} : {
      prod_mode: bridge.prodMode,
      pkce_required: bridge.pkceRequired,
      state_required: bridge.stateRequired,
      render_consent_page: bridge.renderConsentPage,
      revoke_before_set: bridge.revokeBeforeMs !== undefined,
      cimd_enabled: bridge.cimd.enabled,
      groups_claim: bridge.idp.groupsClaim,
    }),
    allow_list_set: anyListed,
    allowed_groups_set: (allow?.groups.length ?? 0) > 0,
    upstream_authorization_set: outbound.mode === "static",
  };
}
