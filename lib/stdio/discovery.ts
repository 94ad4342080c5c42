/**
 * Finding out where to log in.
 *
 *     an issuer is configured:  its OpenID configuration, else its RFC 8414 metadata; the scopes are the configured ones
 *     none is configured:       401 challenge -> resource metadata -> authorization server metadata
 */
import { UserError } from "../base/errors.ts";
import { discoverServer, tolerantIssuer } from "../oauth/discovery.ts";
import { OAuthFailure } from "../oauth/failure.ts";
import { unionScopes } from "../oauth/scope.ts";
import { openIdConfigurationUrl, type ServerMetadata, serverMetadataUrls } from "../oauth/server_metadata.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";

const defaultScopes = ["openid", "profile", "email"];

/** The door of a configured issuer. @throws UserError, OAuthFailure */
export async function configuredDoor(context: LoginContext, issuer: string): Promise<Door> {
  const server = await configuredServer(context, issuer);
  return { server, scopes: unionScopes(["openid"], context.config.scopes ?? defaultScopes) };
}

/** The metadata of the server that a grant came from. @throws OAuthFailure */
export async function serverOf(context: LoginContext, issuer: string): Promise<ServerMetadata> {
  const { issuerUrl } = context.config;
  if (issuerUrl !== undefined) return await configuredServer(context, issuerUrl);
  return await discoverServer(context.http, issuer, { signal: context.signal });
}

/** The metadata of an issuer that the user typed. @throws OAuthFailure */
export async function configuredServer(context: LoginContext, issuer: string): Promise<ServerMetadata> {
  if (!URL.canParse(issuer)) {
    throw new UserError(`Cannot read the issuer as a URL: "${issuer}"`, { exitCode: 2 });
  }
  const urls = [openIdConfigurationUrl(issuer), ...serverMetadataUrls(issuer)];
  return await discoverServer(context.http, issuer, {
    urls: [...new Map(urls.map((url) => [url.href, url])).values()],
    accepts: (found) => tolerantIssuer(issuer)(found) || isEntraAlias(issuer, found),
    signal: context.signal,
  });
}

/**
 * Microsoft's shared tenants publish a template as their issuer, and its first-version endpoints another host: both
 * documented, and both only believed where the user named Microsoft's host.
 */
function isEntraAlias(configured: string, found: string): boolean {
  const host = new URL(configured).hostname;
  if (!/^login\.(microsoftonline\.(com|us)|partner\.microsoftonline\.cn)$/.test(host)) return false;
  return found.startsWith(`https://${host}/{tenantid}/`) || found.startsWith("https://sts.windows.net/");
}

/**
 * RFC 7636 and the MCP rules: without S256 a stolen code is worth a token. Of a discovered server we insist that it
 * says so; a configured one may keep silent (Entra and Cognito do), since the verifier is sent all the same.
 * @throws UserError
 */
export function requirePkce(context: LoginContext, server: ServerMetadata): void {
  const methods = server.code_challenge_methods_supported;
  if (context.config.allowMissingPkce || methods?.includes("S256")) return;
  if (methods === undefined && context.config.issuerUrl !== undefined) return;
  throw loginFailed(
    `${server.issuer} does not announce PKCE with S256`,
    "If you trust this server nevertheless, set ALLOW_MISSING_PKCE=true.",
  );
}

/** A failure of discovery or of a token request, in a sentence. */
export function explain(error: unknown): unknown {
  if (!(error instanceof OAuthFailure)) return error;
  const hint = error.kind === "transient"
    ? "The server may be down, or the network; nothing was thrown away, try again later."
    : undefined;
  return loginFailed(error.message, hint, error);
}
