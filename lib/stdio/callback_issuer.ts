/** RFC 9207: whose answer did the browser bring? Judged before anything else in it is believed or shown. */
import type { ServerMetadata } from "../oauth/server_metadata.ts";
import { loginFailed } from "./login_context.ts";

/**
 * A server that announces `iss` must send it; one that sends it must send its own, to the letter.
 * @throws UserError that repeats nothing of the answer.
 */
export function requireIssuer(server: ServerMetadata, parameters: URLSearchParams): void {
  const found = parameters.getAll("iss");
  if (found.length === 0 && server.authorization_response_iss_parameter_supported !== true) return;
  if (found.length === 1 && found[0] === server.issuer) return;
  throw loginFailed(
    found.length === 0 ? "the answer does not name its issuer" : "the answer comes from another issuer",
    "Somebody may be mixing up servers; nothing was sent anywhere.",
  );
}
