import type { Context } from "hono";
import { clientUrl, errorAnswer, noteFailure } from "./answers.ts";
import { isSameBrowser, readBrowser } from "./browser.ts";
import { showConsent } from "./consent_form.ts";
import { failure } from "./failures.ts";
import { parameter, readForm } from "./forms.ts";
import { funnelOf } from "./funnel.ts";
import { beginLogin } from "./idp_login.ts";
import { continuePage } from "./pages/continue_page.ts";
import { brandOf } from "./pages/brand.ts";
import type { BridgeParts } from "./parts.ts";
import { openTicket } from "./tickets.ts";
import { useOnce } from "./used.ts";

const endpoint = "consent";

/** POST of the consent page's form: to the IdP, or back to the client. Always by a page, never by a redirect. */
export async function consent(parts: BridgeParts, c: Context): Promise<Response> {
  try {
    return await decide(parts, c);
  } catch (error) {
    return await errorAnswer(parts, c, error, { endpoint });
  }
}

async function decide(parts: BridgeParts, c: Context): Promise<Response> {
  const { config, sealer, store, clock, log, counters } = parts;
  // The form is a person's; whoever sends credentials is a program.
  if (c.req.header("authorization") !== undefined) throw failure("consent_invalid");
  const form = await readForm(c, ["consent_token", "action"]);
  const token = parameter(form, "consent_token");
  const action = parameter(form, "action");
  if (token === undefined) throw failure("consent_missing");
  if (action !== "approve" && action !== "switch" && action !== "deny") throw failure("consent_missing");
  const opened = await openTicket(sealer, "consent", token);
  if (!opened.ok) throw failure(opened.reason === "expired" ? "consent_expired" : "consent_invalid");
  const { jti, request, browser: hash } = opened.value;
  const browser = await readBrowser(parts, c);
  // Without this, whoever approves a page in his own browser could send its outcome to a victim.
  if (!await isSameBrowser(browser, hash)) throw failure("consent_other_browser");

  const untilMs = opened.expiresAtMs ?? clock.now();
  if (!await useOnce(store, "consent", jti, untilMs - clock.now())) {
    counters.add("mcp_auth_replay_detected_total", { kind: "consent" });
    log.info("consent_token_replay", { id: jti, client: request.client });
    const notice = "This form was sent before. Please answer once more.";
    return await showConsent(parts, { request, browser: hash, account: browser?.account, untilMs, notice });
  }
  const fields = { client: request.client, clientName: request.name ?? "" };
  if (action === "deny") {
    counters.add("mcp_auth_consent_decisions_total", { decision: "denied" });
    log.info("consent_denied", fields);
    return await continuePage({
      brand: brandOf(config),
      title: "Denied",
      text: "The application gets no access. You may close this page.",
      link: "Return to the application",
      url: clientUrl(parts, request, { error: failure("consent_denied") }),
    });
  }
  counters.add("mcp_auth_consent_decisions_total", { decision: "approved" });
  log.info("consent_approved", fields);
  funnelOf(parts).step("consent", request.name);
  try {
    const url = await beginLogin(parts, {
      request,
      browser: hash,
      tries: 0,
      selectAccount: action === "switch",
    });
    return await continuePage({
      brand: brandOf(config),
      title: "Sign in",
      text: "You are being taken to the sign-in.",
      link: "Continue to the sign-in",
      url: url.href,
    });
  } catch (error) {
    // The decision is used up, so a reload would help nobody: offer the same page again.
    noteFailure(parts, failure("idp_unavailable", { error }), endpoint);
    const notice = "The identity provider cannot be reached now. Wait a moment, then answer once more.";
    const again = { request, browser: hash, account: browser?.account, untilMs, notice, status: 503 };
    const response = await showConsent(parts, again);
    response.headers.set("retry-after", "5");
    return response;
  }
}
