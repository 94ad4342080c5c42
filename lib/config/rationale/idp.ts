/** Why the settings of the identity provider and of the login at this machine exist. For the documents only. */
export const idpRationale: Readonly<Record<string, string>> = {
  issuerUrl:
    "Kept exactly as typed, since issuers are compared character by character; a missing or extra slash at the end is tolerated once, against the provider's own document. In stdio mode an upstream that follows the MCP specification says by itself who its issuer is.",
  clientId:
    "In http mode one client at the provider serves all MCP clients. In stdio mode it can be left out where the provider registers clients dynamically or takes client ID metadata documents.",
  clientSecret:
    "Left out for public clients. Use the `…_FILE` form or a secret store: command lines are visible to other users.",
  clientKey:
    "`private_key_jwt` keeps the credential on this machine; nothing that is sent can be used again.",
  oidcScopes:
    "`openid` is always among them where a user logs in. Add `offline_access` where the provider wants it for a refresh token; Google and Cognito do not take it.",
  audience:
    "Without it any token of the issuer opens the door, also one that was made for another service. Set it wherever the provider can put it into its tokens.",
  authorizeParameters:
    "Providers have parameters of their own, such as `prompt`, `login_hint`, `domain_hint` or `connection`.",
  groupsClaim: "Providers disagree on the claim's name, and some nest it. Entra gives ids rather than names.",
  allowInsecureHttp:
    "For a provider in the same cluster without TLS. Production mode refuses it: anybody on the way could read the tokens.",
  cognitoUserPoolId: "Pool and region make up Cognito's issuer.",
  cognitoAwsRegion: "Pool and region make up Cognito's issuer.",
  azureTenantId:
    "One tenant, by id or domain. The names that stand for all tenants are refused, for they would let every organisation in.",
  azureIdentifierUri: "Entra wants API scopes fully qualified; users and clients should not have to.",
  azureAuthority: "The national clouds have login hosts of their own.",
  googleHostedDomain:
    "The account chooser is narrowed to the domain, and the id_token's `hd` is checked, since the former is only a hint.",
  redirectUrl:
    "Must be registered at the provider character by character. A fixed port makes that possible everywhere; given explicitly, no other port is tried.",
  grant: "`client_credentials` needs no person, `device_code` no browser on this machine.",
  clientMetadataUrl: "The MCP way of being known to an authorization server without registering at it.",
  headers:
    "For upstreams that want an API key. Secrets come from the environment through `${VAR}`, so that they are not in the host's file; headers are never sent to another origin.",
  omitResource:
    "The specification wants RFC 8707's parameter; a few authorization servers refuse what they do not know.",
  allowMissingPkce:
    "The specification forbids logging in without PKCE; some servers have it and do not say so.",
  loginTimeoutMs:
    "Time to find the password manager and the second factor. A host is not kept waiting meanwhile.",
  openBrowser: "On a machine without a browser the URL on stderr is all there is.",
  browser: "Started with the URL as its only argument, never through a shell.",
  cacheDir:
    "No version is in the path, so an upgrade logs nobody out. The folder is 0700 and its files 0600.",
  profile: "Two accounts at one upstream, in two entries of a host.",
  firstAnswerTimeoutMs:
    "Hosts give up on a server that does not answer `initialize`; a login takes longer than they wait.",
  maxLineBytes:
    "Bounds the memory that one message can take; a longer one gets an error and the program lives on.",
  dumpMessagesFile:
    "For finding faults of clients and servers. The file holds everything that was said, so it is never on by default.",
};
