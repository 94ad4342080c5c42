import type { LoginConfig, StdioConfig } from "../stdio/config.ts";
import { isLoopback } from "../base/loopback.ts";
import { httpClientConfig, identityConfig, logConfig } from "./common.ts";
import { userFolder } from "./folders.ts";
import { present } from "./present.ts";
import { stdioLabel as label, type StdioReading } from "./stdio_settings.ts";

const placeholder = new URL("http://upstream.invalid/");

/** What stdio mode is started with; see `problems` of the reading before using it. */
export function stdioConfig(reading: StdioReading): StdioConfig {
  const { values, problems } = reading;
  if (values.upstreamUrl === undefined && !reading.given.has("upstreamUrl")) {
    problems.push(
      "Cannot start without an upstream: give the MCP server's URL as the argument or as UPSTREAM_MCP_URL",
    );
  }
  return present({
    mode: "stdio" as const,
    upstreamUrl: values.upstreamUrl ?? placeholder,
    log: logConfig(reading),
    http: httpClientConfig(reading),
    banner: values.banner,
    login: loginConfig(reading),
    headers: expandedHeaders(reading),
    identity: identityConfig(reading),
    firstAnswerTimeoutMs: values.firstAnswerTimeoutMs,
    connectTimeoutMs: values.connectTimeoutMs ?? 30_000,
    maxLineBytes: values.maxLineBytes,
    dumpMessagesFile: values.dumpMessagesFile,
  });
}

function loginConfig(reading: StdioReading): LoginConfig {
  const { values, problems } = reading;
  const redirectUrl = values.redirectUrl ?? new URL("http://localhost:8080/auth/callback");
  if (redirectUrl.protocol !== "http:" || !isLoopback(redirectUrl.hostname)) {
    problems.push(
      `Cannot use "${redirectUrl.href}" as ${label("redirectUrl")}: expected an http:// URL on localhost, ` +
        "127.0.0.1 or [::1]",
    );
  }
  if (values.grant === "client_credentials" && values.clientId === undefined) {
    problems.push(`Cannot use OIDC_GRANT=client_credentials without ${label("clientId")}`);
  }
  if (
    values.grant === "client_credentials" && values.clientSecret === undefined &&
    values.clientKey === undefined
  ) {
    problems.push(
      `Cannot use OIDC_GRANT=client_credentials without ${label("clientSecret")} or ${label("clientKey")}`,
    );
  }
  const isPerson = values.issuerUrl !== undefined && values.grant !== "client_credentials";
  const configured = isPerson ? ["openid", "profile", "email"] : undefined;
  const scopes = values.oidcScopes ?? configured;
  const cacheDir = values.cacheDir ?? userFolder("cache", reading);
  if (cacheDir === undefined) {
    problems.push(`Cannot find a home folder for the token cache: set HOME or ${label("cacheDir")}`);
  }
  if (!/^[\w.@+-]{1,64}$/.test(values.profile)) {
    problems.push(
      `Cannot use "${values.profile}" as ${label("profile")}: expected letters, digits, . _ @ + -`,
    );
  }
  return present({
    issuerUrl: values.issuerUrl,
    clientId: values.clientId,
    clientSecret: values.clientSecret,
    clientKey: values.clientKey,
    clientMetadataUrl: values.clientMetadataUrl?.href,
    scopes: scopes === undefined
      ? undefined
      : withOpenid(scopes, values.issuerUrl !== undefined, values.grant),
    redirectUrl,
    redirectFixed: reading.given.has("redirectUrl"),
    grant: values.grant,
    audience: values.audience,
    authorizeParameters: values.authorizeParameters ?? [],
    omitResource: values.omitResource,
    allowMissingPkce: values.allowMissingPkce,
    loginTimeoutMs: values.loginTimeoutMs,
    openBrowser: values.openBrowser,
    browser: values.browser,
    cacheDir: cacheDir ?? "",
    profile: values.profile,
  });
}

/** A configured issuer is an OpenID provider: `openid` comes first, unless no user takes part. */
function withOpenid(
  scopes: readonly string[],
  configured: boolean,
  grant: LoginConfig["grant"],
): readonly string[] {
  if (!configured || grant === "client_credentials" || scopes.includes("openid")) return scopes;
  return ["openid", ...scopes];
}

function expandedHeaders(reading: StdioReading): StdioConfig["headers"] {
  return (reading.values.headers ?? []).map(([name, value]) => {
    const expanded = value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, variable: string) => {
      const found = reading.variable(variable);
      if (found === undefined || found === "") {
        reading.problems.push(`Cannot fill in the header ${name}: the variable ${variable} is not set`);
      }
      return found ?? "";
    });
    // deno-lint-ignore no-control-regex -- control characters are what is refused
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(expanded)) {
      reading.problems.push(
        `Cannot use the value of the header ${name}: it has line breaks or control characters`,
      );
    }
    return [name, expanded.trim()] as const;
  });
}
