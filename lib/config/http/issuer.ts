import { isLoopback } from "../../base/loopback.ts";
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

/** Issuers where anybody can make an account. */
const publicHosts = [
  "accounts.google.com",
  "appleid.apple.com",
  "gitlab.com",
  "login.yahoo.com",
  "slack.com",
  "www.facebook.com",
  "www.linkedin.com",
  "token.actions.githubusercontent.com",
];

/** What stands for every organisation at Microsoft, and the tenant of its private accounts. */
const openTenant = /^\/(common|organizations|consumers|9188040d-6c67-4c5b-b112-36a304b66dad)(\/|$)/i;

/** The name of an issuer's host. */
export function hostOf(issuerUrl: string | undefined): string | undefined {
  return issuerUrl === undefined ? undefined : new URL(issuerUrl).hostname;
}

/** Whether anybody at all can log in there. */
export function isPublicIssuer(issuerUrl: string | undefined): boolean {
  if (issuerUrl === undefined) return false;
  const { hostname, pathname } = new URL(issuerUrl);
  return publicHosts.includes(hostname) ||
    hostname === "login.microsoftonline.com" && openTenant.test(pathname);
}
