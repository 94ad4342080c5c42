/** How stdio mode gets its credentials, decided by the configuration alone. */
import { type Clock, systemClock } from "../base/clock.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Logger } from "../base/log.ts";
import type { StdioConfig } from "./config.ts";
import type { Credentials } from "./credentials.ts";
import { type GrantKey, keyText } from "./grant.ts";
import { staticHeaders } from "./static_headers.ts";
import { tokenCache } from "./token_cache.ts";
import { oauthCredentials } from "./tokens.ts";

/** What the credentials are handed. */
export interface CredentialsContext {
  readonly http: HttpClient;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Writes a line for the user; default: to stderr. */
  readonly print?: (line: string) => void;
}

/**
 * Opens the credentials; a login or refresh that is due starts at once, in the background. An `Authorization` header
 * of the user's own is all there is; other headers are sent beside the token.
 */
export async function openCredentials(
  config: StdioConfig,
  context: CredentialsContext,
): Promise<Credentials> {
  const { login, headers } = config;
  if (headers.some(([name]) => name.toLowerCase() === "authorization")) return staticHeaders(headers);
  const { issuerUrl } = login;
  return oauthCredentials({
    context: {
      upstreamUrl: config.upstreamUrl,
      config: login,
      http: context.http,
      clock: context.clock ?? systemClock,
      log: context.log,
      cache: tokenCache(login.cacheDir, context.log),
      print: context.print ?? printLine,
      key: await keyText(grantKey(config)),
    },
    fixedHeaders: headers,
    ...(issuerUrl === undefined ? {} : {
      configuredDoor: async (login) => {
        const { configuredDoor } = await import("./discovery.ts");
        return await configuredDoor(login, issuerUrl);
      },
      takeOver: async (login) => {
        const { takeOver } = await import("./take_over.ts");
        return await takeOver(login, issuerUrl);
      },
    }),
  });
}

/** What the grant of this configuration is kept under. */
export function grantKey({ upstreamUrl, login }: StdioConfig): GrantKey {
  return {
    upstream: upstreamUrl.href,
    issuer: login.issuerUrl ?? "",
    client: login.clientId ?? "",
    scopes: login.scopes ?? [],
    profile: login.profile,
  };
}

/** A line on stderr, whatever the log level; nobody may be there to read it. */
export function printLine(line: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
  } catch {
    // A closed stderr must not end the login.
  }
}
