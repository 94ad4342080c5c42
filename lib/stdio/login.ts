/**
 * Logging a person in, in a browser of this machine (RFC 6749 section 4.1, RFC 7636, RFC 8252):
 *
 *     listen on loopback -> who are we there? -> print the address, open it -> the browser comes back with our state
 *         -> is it the issuer's answer? -> code and verifier for tokens -> only now the page says that it worked
 *
 * The caller holds the machine's lock for this grant, so that there is one browser however many processes wait.
 */
import { openBrowser } from "../base/browser.ts";
import type { ClientCredential } from "../oauth/client_auth.ts";
import { isClientRefused, OAuthFailure } from "../oauth/failure.ts";
import { type PkcePair, pkcePair, randomState } from "../oauth/pkce.ts";
import type { TokenSet } from "../oauth/token_response.ts";
import { authorizeUrl } from "./authorize_url.ts";
import { requireIssuer } from "./callback_issuer.ts";
import type { CallbackPage } from "./callback_page.ts";
import { type Callback, type CallbackServer, listenForCallback } from "./callback_server.ts";
import { identifyClient } from "./client_identity.ts";
import { explain, requirePkce } from "./discovery.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";
import { requireUsable } from "./new_grant.ts";
import { announcePending } from "./pending_login.ts";
import { confirmClient, forgetRegistration, isForgotten } from "./registration.ts";
import { remoteHint, remoteness, thisMachine } from "./surroundings.ts";

/** What came of a login. */
export interface LoginResult {
  readonly tokens: TokenSet;
  readonly client: ClientCredential;
}

/** @throws UserError that says who refused what; the signal's reason when the program ends. */
export async function browserLogin(context: LoginContext, door: Door): Promise<LoginResult> {
  requirePkce(context, door.server);
  const first = await attempt(context, door);
  if (first !== "forgotten") return first;
  const second = await attempt(context, door);
  if (second !== "forgotten") return second;
  throw loginFailed(`${door.server.issuer} forgets its registrations at once`);
}

/** One visit to the server; `forgotten` when it turned out not to know the client that we remembered. */
async function attempt(context: LoginContext, door: Door): Promise<LoginResult | "forgotten"> {
  const state = randomState();
  const wanted = redirectUrls(context);
  await using server = listenForCallback(wanted, state);
  const { redirectUri } = server;
  const spare = wanted.map((url) => url.href).filter((href) => href !== redirectUri && !href.includes(":0/"));
  const { credential: client, remembered } = await identifyClient(context, door.server, [
    redirectUri,
    ...spare,
  ]);
  const pkce = await pkcePair();
  const request = { clientId: client.clientId, redirectUri, state, codeChallenge: pkce.challenge };
  const url = authorizeUrl(door, request, context.config);
  const forget = () => forgetRegistration(context, door.server.issuer, client.clientId);
  if (remembered && await isForgotten(context, url, client.clientId)) {
    await forget();
    return "forgotten";
  }

  using _announced = announcePending(context.cache.dir, context.key, { url: url.href, redirectUri, state });
  await showAddress(context, url, {
    port: new URL(redirectUri).port || "80",
    device: door.server.device_authorization_endpoint !== undefined,
  });
  const callback = await awaitCallback(context, server);
  try {
    context.report({ state: "working", doing: "exchanging the code for a token" });
    const tokens = await redeem(context, { door, client, callback, pkce, redirectUri });
    confirmClient(context, client.clientId);
    callback.answer(pages.done(door.server.issuer, context.upstreamUrl.host));
    return { tokens, client };
  } catch (error) {
    const again = remembered && error instanceof OAuthFailure && isClientRefused(error);
    const failure = explain(error);
    callback.answer(pages.failed(failure instanceof Error ? failure.message : "unknown error", again));
    if (!again) throw failure;
    await forget();
    return "forgotten";
  }
}

/** The addresses that the server may know us by: the configured one, and without a configured client two more ports. */
function redirectUrls({ config }: LoginContext): readonly URL[] {
  if (config.redirectFixed || config.clientId !== undefined) return [config.redirectUrl];
  return [config.redirectUrl, ...spareRedirectUrls(config.redirectUrl)];
}

/** Ports below those that systems hand out by themselves, so that no other program has them by chance. */
export function spareRedirectUrls(first: URL): readonly URL[] {
  return ["28080", "28180", "28280"].map((port) => {
    const url = new URL(first);
    url.port = port;
    return url;
  });
}

async function showAddress(
  context: LoginContext,
  url: URL,
  callback: { readonly port: string; readonly device: boolean },
): Promise<void> {
  context.report({ state: "waiting_for_user", url: url.href });
  context.print(
    `To log in to ${context.upstreamUrl.host}, open this address in your browser:\n\n  ${url.href}\n`,
  );
  const where = remoteness(thisMachine);
  if (where !== undefined) context.print(remoteHint(where, callback.port, callback.device));
  if (!context.config.openBrowser) return;
  const { browser } = context.config;
  const opened = await openBrowser(url, browser === undefined ? {} : { command: browser });
  if (opened) return;
  context.log.warn("browser_not_opened", { hint: "Open the address above yourself." });
}

async function awaitCallback(context: LoginContext, server: CallbackServer): Promise<Callback> {
  const done = new AbortController();
  const timeout = context.clock.sleep(
    context.config.loginTimeoutMs,
    AbortSignal.any([context.signal, done.signal]),
  ).then(() => {
    throw loginFailed(
      `nobody finished it within ${Math.round(context.config.loginTimeoutMs / 1_000)} s`,
      "Ask again to get a new address; LOGIN_TIMEOUT gives you more time.",
    );
  });
  try {
    return await Promise.race([server.callback, timeout]);
  } finally {
    timeout.catch(() => {});
    done.abort();
  }
}

interface Return {
  readonly door: Door;
  readonly client: ClientCredential;
  readonly callback: Callback;
  readonly pkce: PkcePair;
  readonly redirectUri: string;
}

async function redeem(context: LoginContext, back: Return): Promise<TokenSet> {
  const { door, client, pkce, redirectUri } = back;
  const parameters = back.callback.parameters;
  requireIssuer(door.server, parameters);
  const refused = parameters.get("error");
  if (refused !== null) throw loginFailed(refusalOf(refused, parameters.get("error_description")));
  const codes = parameters.getAll("code");
  const code = codes[0];
  if (codes.length !== 1 || !code) throw loginFailed("the server sent no code");
  const { tokenRequest } = await import("../oauth/client.ts");
  const tokens = await tokenRequest(context, {
    server: door.server,
    client,
    grantType: "authorization_code",
    parameters: [
      ["code", code],
      ["redirect_uri", redirectUri],
      ["code_verifier", pkce.verifier],
      ...(door.resource === undefined ? [] : [["resource", door.resource] as const]),
    ],
  });
  requireUsable(tokens);
  return tokens;
}

function refusalOf(code: string, description: string | null): string {
  if (code === "access_denied") return "access was denied in the browser";
  const said = [code, description ?? ""].join(" ").replaceAll(/[^\x20-\x7e]+/g, " ").trim().slice(0, 300);
  return `the server answered ${said}`;
}

const pages = {
  done: (issuer: string, upstream: string): CallbackPage => ({
    status: 200,
    tone: "good",
    title: "You are logged in",
    text: "mcp-doorman has what it needs. You can close this tab and go back to your MCP client.",
    detail: `Logged in at ${issuer} for ${upstream}`,
  }),
  failed: (reason: string, again: boolean): CallbackPage => ({
    status: 400,
    tone: "bad",
    title: "The login did not work",
    text: again
      ? "It is tried once more in a new tab. You can close this one."
      : "You can close this tab. Your MCP client shows how to try again.",
    detail: reason,
  }),
};
