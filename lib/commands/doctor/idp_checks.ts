/**
 * The IdP as our OAuth client meets it: does its metadata serve, does it know our client and its secret, our redirect
 * URI and our scopes. Nobody is logged in: it is asked for a login page, and for tokens with a made-up code.
 */
import { readLimitedText } from "../../base/body.ts";
import { describeError } from "../../base/errors.ts";
import type { HttpClient } from "../../base/http_client.ts";
import { NetworkError } from "../../base/network_error.ts";
import { tokenRequest } from "../../oauth/client.ts";
import type { ClientCredential } from "../../oauth/client_auth.ts";
import { endpointUrl } from "../../oauth/endpoint_url.ts";
import { isClientRefused, OAuthFailure } from "../../oauth/failure.ts";
import { pkcePair, randomState } from "../../oauth/pkce.ts";
import { missingScopes } from "../../oauth/scope.ts";
import type { ServerMetadata } from "../../oauth/server_metadata.ts";
import { systemClock } from "../../base/clock.ts";
import type { Report } from "./report.ts";

/** What is checked, and as whom. */
export interface IdpSubject {
  readonly metadata: ServerMetadata;
  readonly issuerUrl: string;
  readonly client: ClientCredential;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Parameters that the real login sends beyond the protocol's own. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly allowHttp: boolean;
}

/** What discovery says, and lacks. */
export function checkMetadata(report: Report, { metadata, issuerUrl, scopes, allowHttp }: IdpSubject): void {
  report.add("ok", "issuer", `The IdP's metadata is there; its issuer is ${metadata.issuer}`);
  if (metadata.issuer !== issuerUrl) {
    report.add(
      "note",
      "issuer_spelling",
      `The issuer was given as ${issuerUrl}; the IdP's own spelling is used`,
    );
  }
  for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const) {
    if (endpointUrl(metadata[name], { allowHttp }) !== undefined) continue;
    const found = metadata[name] === undefined
      ? "is missing"
      : `is "${metadata[name]}", neither https nor loopback`;
    report.add("fail", name, `${name} in the IdP's metadata ${found}`);
  }
  const methods = metadata.code_challenge_methods_supported;
  if (methods?.includes("S256")) report.add("ok", "pkce", "The IdP announces PKCE with S256");
  else {
    report.add(
      "warn",
      "pkce",
      `The IdP does not announce PKCE with S256 (${
        methods === undefined ? "it says nothing" : methods.join(", ")
      })`,
      "A bridge sends it all the same; MCP clients that log in at the IdP itself must refuse it.",
    );
  }
  const unlisted = metadata.scopes_supported === undefined
    ? []
    : missingScopes(metadata.scopes_supported, scopes);
  if (unlisted.length > 0) {
    report.add(
      "note",
      "scopes_listed",
      `The IdP's metadata does not list ${unlisted.join(" ")}`,
      "That is no proof that it refuses them; the login page below tells.",
    );
  }
}

/** Whether the IdP knows the client and its secret or key. Asks for tokens with a code that nobody was given. */
export async function checkClient(report: Report, http: HttpClient, subject: IdpSubject): Promise<void> {
  const { metadata: server, client, redirectUri, allowHttp } = subject;
  try {
    await tokenRequest({ http, clock: systemClock, allowHttp }, {
      server,
      client,
      grantType: "authorization_code",
      parameters: [
        ["code", randomState()],
        ["redirect_uri", redirectUri],
        ["code_verifier", (await pkcePair()).verifier],
      ],
    });
  } catch (error) {
    if (!(error instanceof OAuthFailure)) throw error;
    if (isClientRefused(error)) {
      return report.add(
        "fail",
        "client",
        `The IdP refuses the client "${client.clientId}": ${error.message}`,
        "Check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, and that the client may use the authorization code flow.",
      );
    }
    if (error.kind === "transient") {
      return report.add("fail", "client", `The IdP's token endpoint does not answer: ${error.message}`);
    }
  }
  report.add(
    "ok",
    "client",
    `The IdP accepts the client "${client.clientId}" and what it authenticates with`,
  );
}

/** Whether the IdP would show a login page for our redirect URI and scopes. */
export async function checkAuthorize(report: Report, http: HttpClient, subject: IdpSubject): Promise<void> {
  const url = endpointUrl(subject.metadata.authorization_endpoint, { allowHttp: subject.allowHttp });
  if (url === undefined) return;
  const { client, redirectUri, scopes, parameters } = subject;
  const { challenge } = await pkcePair();
  const own = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state: randomState(),
    nonce: randomState(),
    code_challenge: challenge,
    code_challenge_method: "S256",
  };
  for (const [name, value] of [...parameters, ...Object.entries(own)]) url.searchParams.set(name, value);
  const register =
    `Register exactly ${redirectUri} as redirect (callback) URI of "${client.clientId}" at the IdP.`;
  const answer = await loginPage(http, url);
  if (typeof answer === "string") return report.add("fail", "authorize", answer);
  const { status, location, words } = answer;
  if (/redirect[ _-]?ur[il]|redirect_mismatch|AADSTS50011|AADSTS500113|invalid_redirect/i.test(words)) {
    return report.add(
      "fail",
      "redirect_uri",
      `The IdP does not know the redirect URI ${redirectUri}`,
      register,
    );
  }
  const back = location?.href.startsWith(redirectUri) ? location.searchParams : undefined;
  const error = back?.get("error");
  if (error === "invalid_scope") {
    return report.add(
      "fail",
      "scopes",
      `The IdP refuses one of the scopes "${scopes.join(" ")}"`,
      "Set OIDC_SCOPES to what the client may ask for there.",
    );
  }
  if (error) {
    const detail = back?.get("error_description")?.slice(0, 200);
    return report.add(
      "fail",
      "authorize",
      `The IdP refuses the login request: ${error}${detail ? ` (${detail})` : ""}`,
    );
  }
  if (status >= 400) {
    return report.add(
      "fail",
      "authorize",
      `The IdP answers the login request with HTTP ${status} instead of a login page`,
      `Check the client id, and the redirect URI: ${register}`,
    );
  }
  report.add("ok", "redirect_uri", `The IdP shows a login for the redirect URI ${redirectUri}`, undefined);
}

interface LoginPage {
  readonly status: number;
  readonly location: URL | undefined;
  /** What an error could be read from: a refusal's text, or where a browser is sent to explain it. */
  readonly words: string;
}

/** Asks as a browser would, one step far: where an IdP sends a browser tells a refusal from a login. */
async function loginPage(http: HttpClient, url: URL): Promise<LoginPage | string> {
  try {
    const response = await http.fetch(url, { headers: { accept: "text/html" }, timeoutMs: 10_000 });
    const text = await readLimitedText(response, 1024 * 1024).catch(() => "");
    const next = response.headers.get("location");
    const location = next !== null && URL.canParse(next, url) ? new URL(next, url) : undefined;
    // The request itself repeats the redirect URI; only what the IdP says as an error counts.
    const error = location?.searchParams.get("error") ?? location?.searchParams.get("authError");
    const words = [
      response.status >= 400 || /AADSTS\d+/.test(text) ? text.slice(0, 20_000) : "",
      error ? decoded(error) : "",
    ];
    return { status: response.status, location, words: words.join(" ") };
  } catch (error) {
    const hint = error instanceof NetworkError && error.hint !== undefined ? ` ${error.hint}` : "";
    return `The IdP's login page does not answer: ${describeError(error)}${hint}`;
  }
}

/** Google puts the reason into base64. */
function decoded(error: string): string {
  try {
    return `${error} ${atob(error.replaceAll("-", "+").replaceAll("_", "/"))}`;
  } catch {
    return error;
  }
}
