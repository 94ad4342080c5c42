/** What only stdio mode has: the login of a person at this machine, and the pump. */
import { bool, choice, duration, integer, path, text, url } from "../../base/kinds.ts";
import { headerList } from "../../base/header_kinds.ts";
import type { Settings } from "../../base/setting.ts";

const login = "Login (stdio mode)";
const pump = "Messages (stdio mode)";

export const stdioSettings = {
  redirectUrl: {
    kind: url,
    env: "OIDC_REDIRECT_URL",
    flag: "oidc-redirect-url",
    defaultText: "http://localhost:8080/auth/callback",
    mode: "stdio",
    group: login,
    help:
      "Where the browser comes back to after the login; a loopback URL registered at the identity provider",
  },
  grant: {
    kind: choice(["authorization_code", "client_credentials", "device_code"]),
    env: "OIDC_GRANT",
    flag: "oidc-grant",
    default: "authorization_code",
    mode: "stdio",
    group: login,
    help: "How a token is got: by a browser, by the client alone, or by a code typed on another device",
  },
  clientMetadataUrl: {
    kind: url,
    env: "CLIENT_METADATA_URL",
    flag: "client-metadata-url",
    mode: "stdio",
    group: login,
    help: "A client ID metadata document that may be used as client_id",
  },
  headers: {
    kind: headerList,
    env: "MCP_PROXY_HEADERS",
    flag: "header",
    repeatable: true,
    secret: true,
    mode: "stdio",
    group: login,
    help:
      "A header for every upstream request, instead of a login; ${VAR} in it is replaced by that variable",
  },
  omitResource: {
    kind: bool,
    env: "OMIT_RESOURCE",
    flag: "omit-resource",
    default: false,
    mode: "stdio",
    group: login,
    help: "Send no resource parameter, for authorization servers that refuse it",
  },
  allowMissingPkce: {
    kind: bool,
    env: "ALLOW_MISSING_PKCE",
    flag: "allow-missing-pkce",
    default: false,
    mode: "stdio",
    group: login,
    help: "Log in although the authorization server does not announce PKCE with S256",
  },
  loginTimeoutMs: {
    kind: duration(1000, 86_400_000),
    env: "LOGIN_TIMEOUT",
    flag: "login-timeout",
    default: 300_000,
    mode: "stdio",
    group: login,
    help: "How long a person may take to log in",
  },
  openBrowser: {
    kind: bool,
    env: "OPEN_BROWSER",
    flag: "open-browser",
    default: true,
    mode: "stdio",
    group: login,
    help: "Open the browser for a login; the URL is on stderr either way",
  },
  browser: {
    kind: text,
    env: "BROWSER",
    flag: "browser",
    defaultText: "the system's",
    mode: "stdio",
    group: login,
    help: "The program that opens the login page",
  },
  cacheDir: {
    kind: path,
    env: "MCP_PROXY_CACHE_DIR",
    flag: "cache-dir",
    defaultText: "mcp-doorman below $XDG_CACHE_HOME, ~/.cache or %LOCALAPPDATA%",
    mode: "stdio",
    group: login,
    help: "The folder in which tokens are kept",
  },
  profile: {
    kind: text,
    env: "MCP_PROXY_PROFILE",
    flag: "profile",
    default: "default",
    mode: "stdio",
    group: login,
    help: "Keeps the logins of several accounts apart",
  },
  firstAnswerTimeoutMs: {
    kind: duration(0, 600_000),
    env: "FIRST_ANSWER_TIMEOUT",
    flag: "first-answer-timeout",
    default: 15_000,
    mode: "stdio",
    group: pump,
    help:
      "How long the host's first request waits for the upstream before it is answered from what was last known",
  },
  maxLineBytes: {
    kind: integer(1024, 2 ** 31),
    env: "MAX_LINE_BYTES",
    flag: "max-line-bytes",
    default: 64 * 1024 * 1024,
    mode: "stdio",
    group: pump,
    help: "The longest message that is carried, in bytes",
  },
  dumpMessagesFile: {
    kind: path,
    env: "MCP_PROXY_DUMP_MESSAGES",
    flag: "dump-messages",
    mode: "stdio",
    group: pump,
    help: "Append every message to this file, contents and all",
  },
} satisfies Settings;
