import type { Reading } from "../reading.ts";

/** What production refuses, for the one message that names all of it. */
export function weakened({ values, given }: Reading): string[] {
  const found: string[] = [];
  const refuse = (weak: boolean, key: string, value: boolean) => {
    if (weak) found.push(`${given.get(key)}=${value}`);
  };
  refuse(!values.pkceRequired, "pkceRequired", false);
  refuse(values.allowStateless, "allowStateless", true);
  refuse(values.allowInsecureHttp, "allowInsecureHttp", true);
  refuse(!values.renderConsentPage, "renderConsentPage", false);
  refuse(!values.rateLimitEnabled, "rateLimitEnabled", false);
  refuse(values.cimdAllowLoopback, "cimdAllowLoopback", true);
  if (values.trustProxyHeaders && values.trustedProxyCidrs.length === 0) {
    found.push(`${given.get("trustProxyHeaders")}=true without TRUSTED_PROXY_CIDRS`);
  }
  return found;
}

/** Adds the problem, if production refuses anything. */
export function refuseWeakened({ values, problems }: Reading, violations: readonly string[]): void {
  if (!values.prodMode || violations.length === 0) return;
  problems.push(
    `Cannot start in production mode: ${
      violations.join("; ")
    }; change them, or set PROD_MODE=false for development`,
  );
}
