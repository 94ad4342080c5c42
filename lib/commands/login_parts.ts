/** What the commands of the token cache share. */
import { systemClock } from "../base/clock.ts";
import { type HttpClient, openHttpClient } from "../base/http_client.ts";
import { openLog } from "../base/log.ts";
import { configOf } from "../config/config.ts";
import { readSettings } from "../config/settings.ts";
import type { StdioConfig } from "../stdio/config.ts";
import { type Grant, isAlive, keyText } from "../stdio/grant.ts";
import type { LoginContext } from "../stdio/login_context.ts";
import { grantKey, printLine } from "../stdio/open_credentials.ts";
import { tokenCache } from "../stdio/token_cache.ts";
import type { Invocation } from "./command.ts";

/** An open cache and everything to log in or out with. */
export interface LoginParts extends Disposable {
  readonly config: StdioConfig;
  /** Whether the user said which upstream; otherwise `config.upstreamUrl` means nothing. */
  readonly upstreamGiven: boolean;
  readonly http: HttpClient;
  readonly context: LoginContext;
}

/** Reads the settings of stdio mode; an upstream need not be named. @throws ConfigError */
export async function openLoginParts(invocation: Invocation): Promise<LoginParts> {
  const { config, upstreamGiven } = loginConfig(invocation);
  const log = openLog({ ...config.log, ...(config.log.level === "info" ? { level: "warn" as const } : {}) });
  const http = openHttpClient(config.http, { log });
  return {
    config,
    upstreamGiven,
    http,
    context: {
      upstreamUrl: config.upstreamUrl,
      config: config.login,
      http,
      clock: systemClock,
      log,
      cache: tokenCache(config.login.cacheDir, log),
      print: printLine,
      report: () => {},
      key: await keyText(grantKey(config)),
      signal: new AbortController().signal,
    },
    [Symbol.dispose]: () => http.close(),
  };
}

function loginConfig(invocation: Invocation): { config: StdioConfig; upstreamGiven: boolean } {
  const { argv, from, flags } = invocation;
  const upstreamGiven = invocation.reading().given.has("upstreamUrl");
  if (upstreamGiven) return { config: invocation.stdioConfig(), upstreamGiven };
  const ownFlags = Object.fromEntries(Object.keys(flags).map((name) => [name, { help: "" }]));
  const reading = readSettings([...argv, "http://upstream.invalid/"], from, { mode: "stdio", ownFlags });
  return { config: configOf(reading) as StdioConfig, upstreamGiven };
}

/** The grants that the user means: that of the named upstream and profile, or all. */
export async function grantsMeant(
  { config, context, upstreamGiven }: LoginParts,
  all = false,
): Promise<readonly (readonly [key: string, grant: Grant])[]> {
  const grants = await context.cache.use((access) => access.grants());
  if (all || !upstreamGiven) return grants;
  const { upstreamUrl, login } = config;
  return grants.filter(([key, grant]) =>
    key === context.key || (grant.upstream === upstreamUrl.href && grant.profile === login.profile)
  );
}

/** What to say when there is none. */
export function notLoggedIn({ config, upstreamGiven }: LoginParts): string {
  if (!upstreamGiven) return "You are not logged in anywhere.";
  const { href } = config.upstreamUrl;
  return `You are not logged in to ${href}; mcp-doorman login ${href} changes that.`;
}

const unknownAccount = "(the server did not say)";

/** The end of a sentence that says for whom a login is; nothing where the server did not say. */
export function asAccount(grant: Grant): string {
  const account = accountOf(grant);
  return account === unknownAccount ? "" : ` as ${account}`;
}

/** Who a grant is for, as far as the server told. */
export function accountOf(grant: Grant): string {
  if (grant.how === "client_credentials") return `the client ${grant.clientId}`;
  const names = [grant.name, grant.email === undefined ? undefined : `<${grant.email}>`]
    .filter((part) => part !== undefined);
  return names.length > 0 ? names.join(" ") : grant.subject ?? unknownAccount;
}

/** How long a grant is still good for, in words. */
export function validityOf(grant: Grant, nowMs: number): string {
  const renewal = grant.how === "client_credentials"
    ? "fetched anew when needed"
    : grant.refreshToken === undefined
    ? "then a new login"
    : "renewed by itself";
  if (grant.expiresAtMs === undefined) return "good until it is refused";
  if (!isAlive(grant, nowMs)) return `ended ${new Date(grant.expiresAtMs).toISOString()}, ${renewal}`;
  const minutes = Math.round((grant.expiresAtMs - nowMs) / 60_000);
  return `good for ${minutes < 1 ? "less than a minute" : `${minutes} min`}, ${renewal}`;
}
