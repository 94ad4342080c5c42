/** What went wrong before an answer came, told from the runtime's messages, with what to do about it. */

/** Why there was no answer. */
export type NetworkFailure = "timeout" | "unknown_ca" | "bad_certificate" | "proxy" | "name" | "unreachable";

/**
 * A call got no answer. Always transient for whoever waits for it. It has no `cause`: the runtime's messages repeat
 * whole addresses, and these may have secrets in their queries.
 */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  constructor(
    readonly reason: NetworkFailure,
    message: string,
    /** What to do about it; a sentence. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** What is known beside the runtime's error. */
export interface Circumstances {
  /** Set when it was our own time limit that ended the call. */
  readonly timedOutAfterMs?: number | undefined;
  /** The host may be connected to once more, to learn who issued a certificate that nobody trusts. */
  readonly mayProbe?: boolean;
}

/** The error that callers see. */
export async function networkError(
  url: URL,
  error: unknown,
  known: Circumstances = {},
): Promise<NetworkError> {
  const { timedOutAfterMs } = known;
  const place = `${url.protocol}//${url.host}`;
  if (timedOutAfterMs !== undefined) {
    return new NetworkError(
      "timeout",
      `Cannot reach ${place}: no answer within ${timedOutAfterMs / 1000} s`,
    );
  }
  const text = messages(error);
  const fail = (reason: NetworkFailure, found: string, hint?: string) =>
    new NetworkError(reason, `Cannot reach ${place}: ${found}`, hint);
  if (/UnknownIssuer|self.?signed|unable to get local issuer/i.test(text)) {
    const issuer = known.mayProbe === true ? await presentedIssuer(url) : undefined;
    return fail(
      "unknown_ca",
      `its certificate was issued by an unknown certificate authority${issuer ? ` ("${issuer}")` : ""}`,
      "Give that authority's PEM file with --ca-file, name it in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS, " +
        "or install it in the system's store.",
    );
  }
  if (/certificate|NotValidForName/i.test(text)) return fail("bad_certificate", lastPart(text));
  if (/proxy|unsuccessful tunnel/i.test(text)) {
    return fail(
      "proxy",
      `the proxy refused: ${lastPart(text)}`,
      "Check the proxy's address and its user and password.",
    );
  }
  if (/dns error|failed to lookup|ENOTFOUND|EAI_AGAIN|name or service not known/i.test(text)) {
    return fail(
      "name",
      `the host name "${url.hostname}" cannot be resolved`,
      "Check the address, and the network.",
    );
  }
  return fail("unreachable", lastPart(text));
}

function messages(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) {
    if (!parts.includes(at.message)) parts.push(at.message);
  }
  // The address is neither a reason (a host may be called "proxy") nor for every log.
  return (parts.join(": ") || String(error)).replaceAll(/(?:for url )?\(?https?:\/\/[^\s)]*\)?/g, "");
}

/** The innermost of the runtime's nested messages. */
function lastPart(text: string): string {
  return text.split(": ").slice(-2).join(": ").replaceAll(/\s+/g, " ").trim() || "unknown error";
}

/** The issuer's name in the certificate that the server shows, asked for without trusting it; best effort. */
async function presentedIssuer(url: URL): Promise<string | undefined> {
  try {
    const { connect } = await import("node:tls");
    const host = url.hostname.replace(/^\[|\]$/g, "");
    return await new Promise<string | undefined>((resolve) => {
      const socket = connect({
        host,
        port: Number(url.port || 443),
        servername: host,
        rejectUnauthorized: false,
      });
      const end = (issuer?: string) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(issuer);
      };
      const timer = setTimeout(end, 2_000);
      socket.on("error", () => end());
      socket.on("secureConnect", () => {
        const issuer = socket.getPeerCertificate()?.issuer;
        const name = issuer?.CN ?? issuer?.O;
        end(typeof name === "string" ? name : name?.[0]);
      });
    });
  } catch {
    return undefined;
  }
}
