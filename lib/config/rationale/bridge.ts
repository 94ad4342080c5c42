/** Why the settings of our own authorization server exist. For the documents only. */
export const bridgeRationale: Readonly<Record<string, string>> = {
  codeTtlMs: "A code is redeemed within a second; the rest is slack for slow networks.",
  loginTtlMs:
    "Time for a password reset and a second factor, and no more: the link to a login is worth something to an attacker.",
  accessTtlMs:
    "The longest that a revoked user stays in, where the provider is not asked. With outbound `forward` it ends no later than the provider's token.",
  refreshTtlMs: "Who uses the connector once a week stays logged in.",
  grantTtlMs: "Every login ends some day, however often it is refreshed.",
  clientTtlMs:
    "Clients keep their registration for ever and do not cope with losing it, so it does not expire. Nothing is stored for it. babs/mcp-auth-proxy's default was 168h.",
  refreshGraceSec:
    "A client whose network broke after the server answered asks again with the token it still has. Within this time it gets the same successor; after it the token counts as stolen and the login ends.",
  revokeBeforeMs: "Ends every login that began before, at once and everywhere; for the day a key leaks.",
  prodMode:
    "A relaxation that was meant for a laptop should not reach the internet by accident: all of them are named in one message and nothing starts.",
  pkceRequired: "OAuth 2.1 and MCP require it. Off only for a client that cannot be changed.",
  allowStateless: "A client without `state` cannot tell its own login from an attacker's.",
  renderConsentPage:
    "Without it any registered client gets a token silently from whoever is logged in at the provider.",
  redirectHosts:
    "Redirect URIs of unknown hosts are how codes are stolen; the hosts of the known clients are built in.",
  redirectSchemes: "Desktop clients come back by schemes of their own; the known ones are built in.",
  staticClients:
    "For clients that can neither register nor publish a document, and for machines (`grant_types` with `client_credentials`): being in this list is what lets a machine in.",
  assertionIssuers:
    "Lets an enterprise's IdP vouch for its users, so that they are asked nothing. None by default: an issuer named here can name any user.",
  cimdEnabled:
    "The registration-free way that MCP prefers. Documents are fetched from public addresses only, connected to the address that was checked.",
  cimdAllowLoopback:
    "Development needs it; in production it would let strangers make this server fetch from itself.",
  idpExchangeRate: "Keeps a storm of logins from locking the connector out at the provider.",
  idpExchangeBurst: "Logins come in waves, such as on Monday morning.",
  signingSecret:
    "Everything we issue is sealed with it, so a restart or an upgrade logs nobody out. Without it one is made and kept; replicas must share it, so with Redis it is required. `mcp-doorman secret` prints a good one.",
  previousSecrets:
    "Rotation without logouts: new things are sealed with the new secret, old ones still open. Leave them for as long as refresh tokens live.",
  stateDir:
    "systemd sets it for a unit with `StateDirectory=`. The folder is 0700 and has one owner at a time.",
  redisUrl:
    "What must be seen once or shared by replicas: used codes, refresh families, revocations, counters. `rediss://` for TLS.",
  redisRequired: "For deployments that must not fall back to the file by a missing variable.",
  redisKeyPrefix:
    "Several deployments in one Redis. Braces are refused, for Redis Cluster gives them a meaning.",
  replicas:
    "The store on a file has one owner; this says that there are others, so that a missing REDIS_URL is noticed at start.",
  workers: "One process uses one core; workers share the port and the metrics.",
};
