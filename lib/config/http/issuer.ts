import { isLoopback } from "../../base/net_kinds.ts";
import type { Reading } from "../reading.ts";

/** An issuer without TLS is accepted on this machine only, or when the operator says so. */
export function checkIssuer({ values, given, problems }: Reading): void {
  if (values.issuerUrl === undefined) return;
  const issuer = new URL(values.issuerUrl);
  if (issuer.protocol === "https:" || isLoopback(issuer.hostname) || values.allowInsecureHttp) return;
  problems.push(
    `Cannot use "${values.issuerUrl}" as ${given.get("issuerUrl")}: expected https, except on this machine ` +
      "or with OIDC_ALLOW_INSECURE_HTTP=true",
  );
}
