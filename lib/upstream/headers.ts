/**
 * Which of the client's headers go through: everything that MCP or the application may use, and nothing that says who
 * somebody is or where a request came from, since the upstream believes that of us alone.
 */
import type { HeaderList } from "./upstream.ts";

/** Names that are never passed on, spelled as `spelled()` does. */
const withheld = new Set([
  // About the connection to us (RFC 9110 section 7.6.1) or made anew for the next one.
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "expect",
  "host",
  "content-length",
  "accept-encoding",
  "max-forwards",
  // Credentials of the client.
  "authorization",
  "cookie",
  "cookie2",
  "x-authorization",
  "x-access-token",
  "x-id-token",
  "x-csrf-token",
  // Where the request came from.
  "forwarded",
  "via",
  "origin",
  "referer",
  "x-real-ip",
  "x-host",
  "x-request-id",
  "x-cluster-client-ip",
  "x-proxyuser-ip",
  "x-azure-clientip",
  "x-appengine-user-ip",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-forwarded",
  "x-forwarder-for",
  "x-forward-for",
  "client-ip",
  "true-client-ip",
  "fastly-client-ip",
  "remote-addr",
  // Who somebody is.
  "from",
  "x-email",
  "x-groups",
  "x-roles",
  "x-role",
  "x-subject",
  "x-sub",
  "x-principal",
  "x-identity",
  "x-username",
]);

/** Families of the same, by how the name begins. */
const withheldPrefixes = [
  "proxy-",
  "sec-",
  "access-control-",
  "x-forwarded-",
  "x-original-",
  "x-client-",
  "x-user",
  "x-auth",
  "x-remote-",
  "remote-",
  "x-webauth-",
  "x-authenticated-",
  "x-verified-",
  "x-jwt-",
  "x-token-",
  "x-oidc-",
  "x-ssl-",
  "ssl-client",
  "cf-",
  "x-amzn-oidc-",
  "x-amzn-mtls-",
  "x-envoy-",
  "x-goog-",
  "x-ms-client-principal",
  "x-ms-token-",
  "x-appengine-",
  "x-endpoint-api-",
  "x-tailscale-",
  "tailscale-",
  "x-pomerium-",
  "x-vouch-",
  "x-authentik-",
  "x-credential-",
  "x-spiffe-",
  "x-consumer-",
];

/** Whether a client's header of this name (lower case) may go on. */
export function mayGoOn(name: string): boolean {
  // An intermediary must hand these on whatever follows (MCP 2026-07-28, custom parameters).
  if (name.startsWith("mcp-")) return true;
  const plain = spelled(name);
  // Such as `mcp_session_id`, which would get past what is judged under the right name.
  if (withheld.has(plain) || plain.startsWith("mcp-")) return false;
  return !withheldPrefixes.some((prefix) => plain.startsWith(prefix));
}

/** A name (lower case) with `-` for `_`, `.` and the like: CGI-like servers take them all for the same name. */
function spelled(name: string): string {
  return name.replaceAll(/[^a-z0-9]/g, "-");
}

/** A request's headers, read in one pass: what goes on, and what the border itself needs. */
export class Sifted {
  authorization: string | null = null;
  origin: string | null = null;
  host: string | null = null;
  sessionId: string | null = null;
  contentLength: string | null = null;
  connection: string | null = null;
  transferEncoding = false;
  /** Names and values together, in characters, which are bytes here. */
  size = 0;
  /** Whether a header that may be there once was there twice. */
  repeated = false;
  /** Names and values for the upstream. */
  readonly goOn: HeaderList = [];
}

const enum Fate {
  GoesOn,
  GoesOnOnce,
  Withheld,
  Authorization,
  Origin,
  Host,
  SessionId,
  ContentLength,
  TransferEncoding,
  Connection,
}

const needed: Readonly<Record<string, Fate>> = {
  "authorization": Fate.Authorization,
  "origin": Fate.Origin,
  "host": Fate.Host,
  "mcp-session-id": Fate.SessionId,
  "content-length": Fate.ContentLength,
  "transfer-encoding": Fate.TransferEncoding,
  "connection": Fate.Connection,
  "mcp-protocol-version": Fate.GoesOnOnce,
  "mcp-method": Fate.GoesOnOnce,
};

/** Headers, as `Headers` or any other list of them gives them. */
export interface Listed {
  forEach(callback: (value: string, name: string) => void): void;
}

/** Names that were met are remembered up to this number, so that a client cannot fill the memory with them. */
const maxNames = 512;

/**
 * Returns what reads a request's headers. `owned` are the names (lower case) that only we set, and `fixed` what every
 * request carries: a client's own never pass, in either spelling. What the request's `Connection` header names does not pass either.
 */
export function headerSieve(
  owned: readonly string[],
  fixed: readonly (readonly [name: string, value: string])[] = [],
): (headers: Listed) => Sifted {
  const ours = new Set([...owned, ...fixed.map(([name]) => name)].map(spelled));
  const added: HeaderList = fixed.map(([name, value]) => [name, value]);
  const fates = new Map<string, Fate>();

  const decide = (name: string): Fate => {
    const fate = Object.hasOwn(needed, name)
      ? needed[name] ?? Fate.Withheld
      : mayGoOn(name) && !ours.has(spelled(name))
      ? Fate.GoesOn
      : Fate.Withheld;
    if (fates.size < maxNames) fates.set(name, fate);
    return fate;
  };

  return (headers) => {
    const sifted = new Sifted();
    headers.forEach((value, name) => {
      sifted.size += name.length + value.length;
      switch (fates.get(name) ?? decide(name)) {
        case Fate.GoesOn:
          sifted.goOn.push([name, value]);
          break;
        case Fate.GoesOnOnce:
          sifted.repeated ||= value.includes(",") || sifted.goOn.some((header) => header[0] === name);
          sifted.goOn.push([name, value]);
          break;
        case Fate.Authorization:
          sifted.authorization = both(sifted.authorization, value);
          break;
        case Fate.Origin:
          sifted.origin = both(sifted.origin, value);
          break;
        case Fate.Host:
          sifted.host = both(sifted.host, value);
          break;
        case Fate.SessionId:
          sifted.sessionId = both(sifted.sessionId, value);
          break;
        case Fate.ContentLength:
          sifted.contentLength = both(sifted.contentLength, value);
          break;
        case Fate.TransferEncoding:
          sifted.transferEncoding = true;
          break;
        case Fate.Connection:
          sifted.connection = both(sifted.connection, value);
      }
    });
    const { connection } = sifted;
    if (connection !== null && !/^(?:keep-alive|close)$/i.test(connection)) {
      const nominated = new Set(connection.toLowerCase().split(",").map((name) => name.trim()));
      for (let at = sifted.goOn.length - 1; at >= 0; at--) {
        if (nominated.has(sifted.goOn[at]?.[0] ?? "")) sifted.goOn.splice(at, 1);
      }
    }
    if (!sifted.goOn.some(isUserAgent)) sifted.goOn.push(["user-agent", "mcp-doorman"]);
    // fetch would ask for compression by itself and take it off again, which leaves wrong headers behind.
    sifted.goOn.push(["accept-encoding", "identity"], ...added);
    return sifted;
  };
}

/** What is there twice is one value that nothing agrees with, as with `Headers`. */
function both(first: string | null, value: string): string {
  return first === null ? value : `${first}, ${value}`;
}

function isUserAgent(header: HeaderList[number]): boolean {
  return header[0] === "user-agent";
}
