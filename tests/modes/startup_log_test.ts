import assert from "node:assert/strict";
import { openLog } from "../../lib/base/log.ts";
import { logStart } from "../../lib/modes/startup_log.ts";
import { http } from "../config/support.ts";

const canaries = {
  PROXY_BASE_URL: "https://d.example",
  UPSTREAM_MCP_URL: "http://u.example/mcp",
  OIDC_ISSUER_URL: "https://i.example",
  OIDC_CLIENT_ID: "c",
  OIDC_CLIENT_SECRET: "canary-secret",
  TOKEN_SIGNING_SECRET: "canary-signing-0123456789-abcdefghijk",
  UPSTREAM_AUTHORIZATION_HEADER: "Bearer canary-header",
  REDIS_URL: "redis://user:canary-password@r",
  TRUST_PROXY_HEADERS: "true",
  PKCE_REQUIRED: "false",
  PROD_MODE: "false",
};

Deno.test("the first lines say how strictly it was configured, warn, and hold no secret", () => {
  const lines: string[] = [];
  const log = openLog({ level: "trace", format: "json" }, { write: (line) => lines.push(line) });

  logStart(http([], { env: canaries }), log);

  const [starting, posture, limits, warning] = lines.map((line) => JSON.parse(line));
  assert.equal(starting.msg, "starting");
  assert.match(starting.url, /^https:/);
  assert.equal(posture.msg, "startup_config");
  for (
    const part of [
      "prod_mode=false",
      "pkce_required=false",
      "store=redis",
      "upstream_authorization_set=true",

      "outbound=static",
      "render_consent_page=true",
    ]
  ) assert.ok(posture.detail.split(" ").includes(part), `${part}: ${posture.detail}`);
  assert.equal(limits.msg, "startup_limits");
  assert.match(limits.detail, /\btrust_proxy_headers=true\b.*\btool_metrics_max_cardinality=256$/);
  assert.doesNotMatch(posture.detail, /…/);
  assert.equal(warning.msg, "trust_proxy_headers_deprecated");
  assert.equal(warning.level, "warn");
  assert.doesNotMatch(lines.join("\n"), /canary/);
});
