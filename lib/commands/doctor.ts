/**
 * `mcp-doorman doctor`: looks at everything that a login or a call rests on and says what to repair.
 *
 *     stdio settings, or nothing but a URL:  the server's address, played by every MCP client of the table
 *                                            + the configured issuer, client, redirect URI and scopes
 *     http settings:                         the IdP behind us, the upstream, and our own public URL as above
 *     --login:                               then a real login with the MCP SDK's client, and the list of tools
 */
import { describeError, UserError } from "../base/errors.ts";
import { openHttpClient } from "../base/http_client.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { HttpConfig } from "../http/config.ts";
import type { IdpConfig } from "../idp/config.ts";
import type { RemoteConfig } from "../inbound/config.ts";
import { discoverServer, tolerantIssuer } from "../oauth/discovery.ts";
import { openIdConfigurationUrl, type ServerMetadata, serverMetadataUrls } from "../oauth/server_metadata.ts";
import type { StdioConfig } from "../stdio/config.ts";
import type { Invocation } from "./command.ts";
import { adviseProvider } from "./doctor/advice.ts";
import { checkAuthorize, checkClient, checkMetadata, type IdpSubject } from "./doctor/idp_checks.ts";
import { checkPublicUrl } from "./doctor/public_checks.ts";
import { Report } from "./doctor/report.ts";
import { checkUpstream } from "./doctor/upstream_check.ts";

/** Exit code 0: nothing failed; 1: something did. @throws ConfigError */
export async function run(invocation: Invocation): Promise<number> {
  const config = invocation.config();
  const http = openHttpClient(config.http);
  const report = new Report();
  try {
    const url = config.mode === "http"
      ? await checkHttpMode(report, config, http)
      : await checkStdioMode(report, config, http);
    if (invocation.flags["login"] === true && url !== undefined) {
      // Brings the MCP SDK along, which nothing else reads.
      const { checkTools } = await import("./doctor/tools_check.ts");
      await checkTools(report, url, http);
    }
  } finally {
    http.close();
  }
  console.log(invocation.flags["json"] === true ? report.toJson() : report.toText());
  return report.ok ? 0 : 1;
}

/** Returns the address that a client may log in at. */
async function checkStdioMode(
  report: Report,
  config: StdioConfig,
  http: HttpClient,
): Promise<URL | undefined> {
  const { login, upstreamUrl } = config;
  if (login.issuerUrl !== undefined && login.clientId === undefined) {
    await checkRegistration(report, http, login.issuerUrl);
    await checkUpstream(report, http, upstreamUrl);
    return undefined;
  }
  if (login.issuerUrl !== undefined && login.clientId !== undefined) {
    checkCallbackPort(report, login.redirectUrl);
    const { issuerUrl, clientId, clientSecret, clientKey } = login;
    const metadata = await discover(report, http, issuerUrl);
    if (metadata !== undefined) {
      await checkIdp(report, http, {
        metadata,
        issuerUrl,
        client: {
          clientId,
          ...(clientSecret === undefined ? {} : { clientSecret }),
          ...(clientKey === undefined ? {} : { clientKey }),
        },
        redirectUri: login.redirectUrl.href,
        scopes: login.scopes ?? [],
        parameters: login.authorizeParameters,
        allowHttp: false,
      });
    }
    await checkUpstream(report, http, upstreamUrl);
    return undefined;
  }
  return await checkPublicUrl(report, upstreamUrl, { http, config: config.http }) ? upstreamUrl : undefined;
}

/** Without a client of our own there must be a way to become one. */
async function checkRegistration(report: Report, http: HttpClient, issuerUrl: string): Promise<void> {
  const metadata = await discover(report, http, issuerUrl);
  if (metadata === undefined) return;
  report.add("ok", "issuer", `The metadata is there; the issuer is ${metadata.issuer}`);
  if (
    metadata.registration_endpoint !== undefined || metadata.client_id_metadata_document_supported === true
  ) return;
  report.add(
    "fail",
    "client",
    "There is no OIDC_CLIENT_ID, and the IdP registers no clients by itself",
    "Register a client at the IdP and set OIDC_CLIENT_ID.",
  );
}

/** Whether the browser could come back: somebody else may hold the port. */
function checkCallbackPort(report: Report, url: URL): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: Number(url.port || 80) }).close();
  } catch (error) {
    report.add(
      "fail",
      "callback_port",
      `The login's callback cannot be received at ${url.host}: ${describeError(error)}`,
      "Set OIDC_REDIRECT_URL to a free port, and register it at the IdP.",
    );
  }
}

async function checkHttpMode(report: Report, config: HttpConfig, http: HttpClient): Promise<URL | undefined> {
  for (const { setting, hint } of config.warnings ?? []) {
    report.add("warn", "settings", `${setting}: ${hint}`);
  }
  const { inbound, upstream } = config;
  if (inbound.shape === "bridge") {
    await checkBridgeIdp(report, http, inbound.idp, inbound.baseUrl + inbound.paths.callback);
  }
  if (inbound.shape === "remote") await checkRemoteIdp(report, http, inbound);
  if (upstream.kind === "url") await checkUpstream(report, http, upstream.url);
  if (inbound.shape === "none") return undefined;
  const url = new URL(inbound.resource);
  return await checkPublicUrl(report, url, { http, config: config.http }) ? url : undefined;
}

async function checkBridgeIdp(
  report: Report,
  http: HttpClient,
  idp: IdpConfig,
  redirectUri: string,
): Promise<void> {
  const { alsoIssuers = [], issuerPattern, offlineParameters = [] } = idp.quirks;
  const metadata = await discover(
    report,
    http,
    idp.issuerUrl,
    (found) => alsoIssuers.includes(found) || issuerPattern?.test(found) === true,
  );
  adviseProvider(report, idp, redirectUri);
  if (metadata === undefined) return;
  const audience: (readonly [string, string])[] = idp.audience !== undefined && idp.provider === "oidc"
    ? [["audience", idp.audience]]
    : [];
  await checkIdp(report, http, {
    metadata,
    issuerUrl: idp.issuerUrl,
    client: idp,
    redirectUri,
    scopes: idp.scopes,
    parameters: [...idp.authorizeParameters, ...offlineParameters, ...audience],
    allowHttp: idp.allowInsecureHttp,
  });
}

async function checkRemoteIdp(report: Report, http: HttpClient, config: RemoteConfig): Promise<void> {
  const metadata = await discover(report, http, config.issuerUrl);
  if (metadata === undefined) return;
  const { shortcomings } = await import("../inbound/remote_check.ts");
  const found = shortcomings(metadata, config);
  for (const { reason, detail } of found) {
    report.add(
      "fail",
      reason,
      `The IdP cannot serve MCP clients by itself: ${detail}`,
      "INBOUND_AUTH_PROVIDER=oidc bridges it.",
    );
  }
  if (found.length === 0) {
    report.add("ok", "issuer", `The IdP at ${metadata.issuer} can serve MCP clients by itself`);
  }
  if (config.audience === undefined) {
    report.add(
      "warn",
      "audience",
      "AUDIENCE is not set: tokens of this IdP for any other service would be taken here as well",
      `Have the IdP put an audience into its access tokens (Keycloak: a client scope with an audience mapper) and set AUDIENCE to it.`,
    );
  }
}

async function checkIdp(report: Report, http: HttpClient, subject: IdpSubject): Promise<void> {
  checkMetadata(report, subject);
  await checkClient(report, http, subject);
  await checkAuthorize(report, http, subject);
}

async function discover(
  report: Report,
  http: HttpClient,
  typed: string,
  alsoAccepts: (found: string) => boolean = () => false,
): Promise<ServerMetadata | undefined> {
  const issuer = typed.replace(/\/\.well-known\/[^/]+\/?$/, "");
  try {
    return await discoverServer(http, issuer, {
      urls: [openIdConfigurationUrl(issuer), ...serverMetadataUrls(issuer)],
      accepts: (found) => tolerantIssuer(issuer)(found) || alsoAccepts(found),
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    report.add(
      "fail",
      "issuer",
      `The IdP's metadata cannot be had: ${describeError(error)}`,
      "Check OIDC_ISSUER_URL: below it there must be /.well-known/openid-configuration.",
    );
    return undefined;
  }
}
