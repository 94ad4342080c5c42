/** Why the settings of address, front and upstream exist. For the documents only. */
export const serverRationale: Readonly<Record<string, string>> = {
  baseUrl:
    "The issuer, the resource and the audience of everything that is sealed follow from it, so it must be what clients type, not what this process listens on. Which of its names is used chooses the defaults.",
  babsBaseUrl: "A configuration for babs/mcp-auth-proxy starts unchanged under it.",
  resourceUrl: "A configuration for allardy/mcp-oauth-proxy starts unchanged under it.",
  host:
    "All addresses, as a container needs it. Without authentication only this machine can be listened to.",
  port: "8000 and 8080 are what the systems followed here listen on.",
  listenAddr:
    "The single name of babs/mcp-auth-proxy for host and port; a contradiction with the other two names is an error.",
  platformPort:
    "Hosting platforms set `PORT` for every program, so it gives way to every name that is meant for this one.",
  reusePort:
    "With it a new process starts while the old one still serves, and no connection is refused in between (SO_REUSEPORT, on Linux). Without it a second process on the port is an error, which is what one started by mistake should be.",
  proxyPath: "For upstreams whose path should not be seen, and for several connectors behind one host name.",
  metricsAddr:
    "Metrics tell an attacker much, so they are on loopback unless an operator opens them. A port that is taken keeps no user out: the log says `metrics_listen_error`, and it is tried again every five seconds.",
  tlsCertFile: "For those without a proxy in front. Renewed certificates are picked up without a restart.",
  tlsKeyFile: "Goes with the certificate.",
  corsOrigins:
    "The web clients that exist, and MCP Inspector on this machine. Our own origin is always allowed; one that is not listed gets 403.",
  inbound:
    "There is no safe default: who may enter is the operator's decision. `none` is for development and binds loopback only.",
  resourceName: "What a person sees when asked whether a client may enter.",
  logoText: "Pages load nothing from elsewhere, so the logo is text.",
  scopesSupported:
    "Clients ask for what the metadata lists; too few and there is no refresh token, too many and strict providers refuse.",
  staticClientId:
    "For providers without registration. Anybody who asks is given these credentials: prefer one of the bridge providers.",
  staticClientSecret: "Handed to every caller, so use a client of its own whose redirect URIs are narrow.",
  allowSubs: "The surest key, since a subject never changes hands.",
  allowEmails:
    "An address that the provider calls unverified is refused; one that says nothing of it, such as Entra, is believed.",
  allowDomains:
    "The part after the only `@` of the address, compared as a whole. At Google only accounts that are hosted count (the claim `hd`), and those of gmail.com.",
  allowGroups: "Exact and case-sensitive. Checked at login, at every refresh and on every request.",
  requiredScopes: "A token without them gets 403 with the full list, so that a client can ask for them.",
  upstreamPath: "For servers below a path while clients are given the bare host.",
  spawnCommand:
    "One container for both. No shell is involved, and the child gets our environment without our secrets.",
  spawnPort: "The child is reached on loopback only, once it answers.",
  spawnStdio:
    "For servers that know no HTTP: each MCP session has a process of its own, so users share no state. It gets our environment without our secrets, and no credential. Clients of the stateless revision fall back to sessions.",
  spawnMaxSessions:
    "Each session has a process of its own, so sessions cost memory; further ones are told to come again.",
  spawnIdleMs: "Clients seldom say goodbye. One that comes back later begins a new session by itself.",
  upstreamHeaders:
    "For an upstream that wants something of each request beside the credential. A client's own of the same name never pass, and the credential of OUTBOUND_AUTH goes before.",
  streamingOnly:
    "For hosts that bill or end a connection that stands open. Clients then hear nothing that belongs to no call.",
  identityHeaders:
    "Lets an upstream know the user without reading tokens. What a client sends under these names never passes.",
  outboundAuth:
    "`forward` only ever hands on the provider's token for this user and this resource, never the one that the client holds. `token-exchange` has a token made of it that is meant for the upstream. `static` and `oauth-client-credentials` make every user look the same to the upstream.",
  "outbound.OUTBOUND_HEADER_NAME":
    "Some servers want their key in a header of their own; the client's token is removed either way.",
  "outbound.OUTBOUND_HEADER_VALUE":
    "Sent as it is, with its scheme if it has one. UPSTREAM_AUTHORIZATION_HEADER alone chooses `static`.",
  "outbound.OUTBOUND_HEADER_TEMPLATE":
    "For a server that trusts the proxy to name the user in its own words. Whoever lacks a claim in it is refused.",
  "outbound.OUTBOUND_TOKEN_URL": "Independent of the provider at which users log in.",
  "outbound.OUTBOUND_CLIENT_ID": "The service account at the upstream's authorization server.",
  "outbound.OUTBOUND_CLIENT_SECRET":
    "Kept in memory; the token it buys is fetched again a minute before it ends.",
  "outbound.OUTBOUND_CLIENT_KEY": "Instead of a secret, where the server takes `private_key_jwt`.",
  "outbound.OUTBOUND_CLIENT_AUTH": "Servers differ in what they take; the body form is the most common.",
  "outbound.OUTBOUND_SCOPES": "Some servers give a useless token without them.",
  "outbound.OUTBOUND_AUDIENCE": "Auth0 and others choose the API by it.",
  "outbound.OUTBOUND_EXCHANGE":
    "Entra has the same under other names; its token endpoint is told by its path.",
  "outbound.OUTBOUND_RESOURCE": "Some servers choose the API by address and not by name.",
};
