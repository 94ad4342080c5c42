/** Why the settings of both modes exist, and why their defaults are what they are. For the documents only. */
export const generalRationale: Readonly<Record<string, string>> = {
  transport:
    "stdio is the default since that is how MCP hosts start a program without arguments. Configurations written for babs/mcp-auth-proxy or allardy/mcp-oauth-proxy know no transport, so their public URL implies http.",
  upstreamUrl:
    "The argument form is what fits into a host's `args`; the variables are the names of the systems followed here. Only http and https are taken: a file name is never run.",
  envFile:
    "A host starts a stdio program inside any project's folder, whose `.env` belongs to that project: so there it is read only when named. In http mode the working directory is the operator's.",
  logLevel:
    "`info` shows one line per request and per security event. `debug` adds what is needed to find a fault, and still never a token, a code or a secret.",
  debug: "The switch that the Python and Rust predecessors have; any of the boolean words is taken.",
  silent:
    "For hosts that show every line on stderr as an error. Problems of the configuration are shown all the same.",
  rustLog:
    "Existing entries written for the Rust predecessor carry it. Since other programs read it too, what is not a level is ignored rather than refused.",
  logFormat:
    "People read text on a terminal, machines read JSON everywhere else; the setting overrides the guess.",
  logFile:
    "Hosts hide or truncate a server's stderr; a file does not depend on them. It is made with mode 0600.",
  logToFile: "The Rust predecessor's switch: a file of its own for every start, in the working directory.",
  banner: "One line that says what was started; switch it off where a host shows stderr to its user.",
  proxyName:
    "In http mode the upstream cannot always be asked at start, and an operator may want another name than the upstream's. What is not given passes through unchanged.",
  proxyVersion: "As with the name: only what is given is replaced in the upstream's own answer.",
  proxyInstructions: "Hints for the model on when to use the tools behind this connector.",
  proxyWebsiteUrl: "Shown by clients that link to a server's home page.",
  caFile:
    "Corporate networks put their own certificate authority between everything; it is added to the system's, not put in its place.",
  nodeExtraCaCerts: "Machines that run Node.js programs behind a corporate proxy have it set already.",
  sslCertFile: "Many tools honour it, so it is often set already.",
  denoCert: "The compiled program does not read it by itself, so it is read here.",
  httpProxy: "The usual variables are honoured without it; this one wins over them for this program alone.",
  noProxy: "Loopback is always reached directly. `*` switches every proxy off, in every form of the program.",
  clientCertFile: "Some gateways ask every caller for a certificate (mutual TLS).",
  clientKeyFile: "Kept in a file, since a private key has no place on a command line.",
  connectTimeoutMs:
    "Long enough for a cold start behind a load balancer, short enough that a host does not give up first.",
  firstByteTimeoutMs:
    "Tools may work for minutes before they say anything, and only the operator knows how long is too long: so there is no limit unless one is set.",
};
