import type { Context } from "hono";
import { randomText } from "../../base/bytes.ts";
import { type Identity, IdpError, type IdpTokens, WrongOrganization } from "../../idp/idp.ts";
import { OAuthError } from "../../oauth/errors.ts";
import { clientUrl, errorAnswer, noteFailure } from "./answers.ts";
import { type BrowserTicket, type FlowTicket, openTicket, sealTicket } from "./tickets.ts";
import { isSameBrowser, readBrowser, rememberBrowser } from "./browser.ts";
import { failure } from "./failures.ts";
import { parameter, readQuery, repeatedOf } from "./forms.ts";
import { funnelOf } from "./funnel.ts";
import { heldTokens, requireAllowed } from "./identity.ts";
import { beginLogin } from "./idp_login.ts";
import { keepText } from "./kept_text.ts";
import { continuePage } from "./pages/continue_page.ts";
import type { WayOut } from "./pages/failure_page.ts";
import { brandOf } from "./pages/brand.ts";
import { type BridgeParts, endpoints } from "./parts.ts";
import { useOnce } from "./used.ts";

const endpoint = "callback";

/** How often one login may be begun again. */
const maxTries = 5;

/** Errors that an IdP may send and that a client understands; anything else becomes `server_error`. */
const passedOn = [
  "invalid_request",
  "invalid_client",
  "unauthorized_client",
  "access_denied",
  "unsupported_response_type",
  "invalid_scope",
  "server_error",
  "temporarily_unavailable",
];

/** Where the IdP sends the browser back: exchanges its code, judges the user, and hands the client a code of ours. */
export function callbackStep(parts: BridgeParts, mayExchange: () => boolean) {
  return async (c: Context): Promise<Response> => {
    const query = readQuery(c);
    let login: Login;
    try {
      login = await openLogin(parts, c, query);
    } catch (error) {
      return await errorAnswer(parts, c, error, { endpoint });
    }
    let account: string | undefined;
    try {
      if (query.has("error")) return await refused(parts, login.flow, query);
      if (parameter(query, "code") === undefined) throw failure("login_state_missing");
      if (!mayExchange()) throw throttled(parts);
      const found = await exchangeOnce(parts, login, query);
      account = found.identity.email ?? found.identity.name;
      return await handOver(parts, login, found);
    } catch (error) {
      if (error instanceof OAuthError && error.cause instanceof WrongOrganization) {
        account = error.cause.account;
      }
      const links = await waysOut(parts, login.flow, error);
      return await errorAnswer(parts, c, error, { endpoint, links, account });
    }
  };
}

interface Login {
  readonly flow: FlowTicket;
  /** The `state` as it came. */
  readonly state: string;
  readonly browser: BrowserTicket;
  readonly expiresAtMs: number;
}

/** What the IdP's code was exchanged for. */
interface Found {
  readonly tokens: IdpTokens;
  readonly identity: Identity;
}

/** The login that the state names, if it was begun in this browser. */
async function openLogin(parts: BridgeParts, c: Context, query: URLSearchParams): Promise<Login> {
  const repeated = repeatedOf(query, ["code", "state", "error", "error_description", "iss"]);
  if (repeated !== undefined) throw repeated;
  const state = parameter(query, "state");
  if (state === undefined) throw failure("login_state_missing");
  const opened = await openTicket(parts.sealer, "flow", state);
  if (!opened.ok) throw failure(opened.reason === "expired" ? "login_state_expired" : "login_state_invalid");
  const browser = await readBrowser(parts, c);
  // The code would go to the client of whoever began the login, so it must be the same browser all the way.
  if (browser === undefined || !await isSameBrowser(browser, opened.value.browser)) {
    throw failure("login_other_browser");
  }
  return { flow: opened.value, state, browser, expiresAtMs: opened.expiresAtMs ?? parts.clock.now() };
}

/** The IdP refused: the client is told, in words of ours. */
async function refused(parts: BridgeParts, flow: FlowTicket, query: URLSearchParams): Promise<Response> {
  const said = query.get("error") ?? "";
  const code = passedOn.includes(said) ? said : "server_error";
  const error = new OAuthError(code, "The identity provider did not complete the sign-in", {
    reason: `idp_${code}`,
  });
  noteFailure(parts, error, endpoint);
  return await continuePage({
    brand: brandOf(parts.config),
    title: "Not signed in",
    text: "The sign-in was not completed. You may close this page.",
    link: "Return to the application",
    url: clientUrl(parts, flow.request, { error }),
  });
}

function throttled(parts: BridgeParts): OAuthError {
  parts.counters.add("mcp_auth_idp_exchange_throttled_total");
  parts.log.warn("idp_exchange_throttled");
  return failure("idp_exchange_throttled", { retryAfterSec: 1 });
}

/** The IdP's code is exchanged only where this state comes for the first time. */
async function exchangeOnce(parts: BridgeParts, login: Login, query: URLSearchParams): Promise<Found> {
  const { flow, expiresAtMs } = login;
  if (!await useOnce(parts.store, "callback_state", flow.jti, expiresAtMs - parts.clock.now())) {
    parts.counters.add("mcp_auth_replay_detected_total", { kind: "callback_state" });
    parts.log.warn("callback_state_replay", { id: flow.jti, client: flow.request.client });
    throw failure("callback_state_replay");
  }
  return await exchange(parts, login, query);
}

async function handOver(parts: BridgeParts, login: Login, { tokens, identity }: Found): Promise<Response> {
  const { config, sealer, clock, log } = parts;
  const { flow, browser } = login;
  const { request } = flow;
  const allowed = requireAllowed(parts, identity);

  const body = { identity: allowed, idp: heldTokens(parts, tokens) };
  const kept = await keepText(parts, JSON.stringify(body), config.codeTtlMs + 60_000);
  const code = await sealTicket(sealer, "code", {
    jti: randomText(16),
    grant: {
      id: randomText(16),
      client: request.client,
      ...(request.name === undefined ? {} : { clientName: request.name }),
      scopes: request.scopes,
      resource: config.resource,
      originMs: clock.now(),
    },
    uri: request.uri,
    ...(request.challenge === undefined ? {} : { challenge: request.challenge }),
    kept,
  }, config.codeTtlMs);
  log.info("callback_success", { subject: allowed.subject, client: request.client });
  funnelOf(parts).step("callback", request.name);

  const response = await continuePage({
    brand: brandOf(config),
    title: "Signed in",
    text: `You are signed in${
      allowed.email === undefined ? "" : ` as ${allowed.email}`
    }. Go back to the application now.`,
    link: "Open the application",
    url: clientUrl(parts, request, { code }),
  });
  const account = allowed.email ?? allowed.name ?? allowed.subject;
  await rememberBrowser(parts, response, { id: browser.id, account });
  return response;
}

async function exchange(parts: BridgeParts, login: Login, query: URLSearchParams): Promise<Found> {
  const { flow, state } = login;
  try {
    return await parts.idp.exchange({
      parameters: query,
      redirectUri: endpoints(parts.config).callback,
      state,
      nonce: flow.nonce,
      codeVerifier: flow.verifier,
    });
  } catch (error) {
    if (!(error instanceof IdpError)) throw error;
    if (error.kind === "transient") throw failure("idp_unavailable", { error });
    if (error instanceof WrongOrganization) throw failure("wrong_organization", { error });
    const event = error.reason.includes("nonce")
      ? "id_token_nonce_mismatch"
      : "upstream_token_exchange_failed";
    parts.log.warn(event, { reason: error.reason });
    throw failure(
      /id_token|nonce|issuer|signature|claim/.test(error.reason)
        ? "id_token_verification_failed"
        : "idp_refused",
      {
        error,
      },
    );
  }
}

/**
 * Links for a page that ends a login: to begin it again, which asks for no new approval since it is the same browser,
 * and back to the client with the error.
 */
async function waysOut(parts: BridgeParts, flow: FlowTicket, thrown: unknown): Promise<WayOut[]> {
  const error = thrown instanceof OAuthError ? thrown : failure("internal");
  const back: WayOut = {
    id: "back",
    text: "Return to the application",
    url: clientUrl(parts, flow.request, { error }),
  };
  if (flow.tries >= maxTries) return [back];
  const denied = error.code === "access_denied";
  const start = {
    request: flow.request,
    browser: flow.browser,
    tries: flow.tries + 1,
    selectAccount: denied,
  };
  try {
    const url = await beginLogin(parts, start);
    return [
      { id: "again", text: denied ? "Use another account" : "Begin the sign-in again", url: url.href },
      back,
    ];
  } catch {
    return [back];
  }
}
