/** Why the settings of limits, logs and connections exist. For the documents only. */
export const operationsRationale: Readonly<Record<string, string>> = {
  rateLimitEnabled: "Registration and login cost work here and at the provider; anybody can ask for them.",
  rateDiscovery:
    "Clients fetch the documents often and from shared addresses; they are cheap, so they are not limited.",
  rateRegister: "A client registers once. Nothing is stored for it, but the work is.",
  rateAuthorize: "A person logs in a few times a day; an office shares an address.",
  rateConsent: "As many as logins that begin.",
  rateCallback: "As many as logins that begin.",
  rateToken: "Every login ends here, and every client refreshes about once an hour.",
  rateMcp: "Counted before the token is looked at, so that guessing is limited too.",
  perSubjectConcurrency:
    "One user's runaway agent should not take all connections. Standing event streams do not count.",
  perSubjectPerMinute: "allardy/mcp-oauth-proxy limits calls by the minute; the others limit calls at once.",
  trustedProxyCidrs:
    "Only from these peers is a forwarding header believed, and then the right-most address that is none of them counts.",
  trustedProxyHeader:
    "The header that the proxy in front sets itself; one that it merely passes on can be forged.",
  trustProxyHeaders:
    "Lets every client choose its own address, which makes the limits useless. Refused in production unless networks are named.",
  maxBodyBytes:
    "Larger requests get 413. Answers are not limited. (Headers over 32 KiB get 431; that is fixed.)",
  bodyReadTimeoutMs:
    "A body that trickles in holds a request at the upstream; this bounds for how long. It counts for each 64 KiB, so that large bodies may take longer, and the time that the upstream takes to read does not count. Then the answer is 408.",
  headerReadTimeoutMs:
    "Half a request, or a connection that says nothing from its beginning, holds a file descriptor and needs no login. With `TLS_CERT_FILE` the runtime serves, which knows no such limit: then it is the edge's.",
  idleTimeoutMs:
    "Must be longer than the edge's own, or a request may arrive just as the connection is closed: load balancers keep theirs for up to ten minutes (AWS one minute, unless it is set; Google ten). Without an edge a minute or two is enough. It also bounds how long a client may take nothing of an answer that waits for it. Not with `TLS_CERT_FILE`, as before.",
  toolRules:
    "One connector for people with different rights. Rules are asked in their order, `allow` or `deny`, names with `*`, and `to` whom: everyone, `group:`, `scope:` or `subject:`; the first that is about the tool and the caller decides, and where none is the answer is no. What may not be called is not listed either. Without rules request bodies are not read; with them, messages that different readers could read differently are refused.",
  accessLogSkip: "Health checks every second say nothing. Security events are logged regardless.",
  logBodyMax:
    "The method and the tool of a call are worth a look at the beginning of its body; 0 keeps bodies unread.",
  hashSubjects: "Where logs may not hold personal data; the same user still has the same hash.",
  toolMetrics: "Tool names become labels, and labels cost memory in every system that stores metrics.",
  toolMetricsMax: "Bounds those labels; further tools are counted together.",
  shutdownTimeoutMs: "Must be shorter than what the supervisor waits before it kills.",
  keepAliveMs: "Load balancers cut connections that say nothing, often after a minute.",
  cspFormActionExtra: "babs/mcp-auth-proxy accepted it; our pages need it for nothing.",
};
