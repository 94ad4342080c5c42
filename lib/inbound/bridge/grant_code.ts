import { isCodeVerifier, matchesChallenge } from "../../oauth/pkce.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { parameter } from "./forms.ts";
import { funnelOf } from "./funnel.ts";
import { issueTokens } from "./issue.ts";
import { readKeptText } from "./kept_text.ts";
import type { BridgeParts } from "./parts.ts";
import { type Revocations, revokeGrant } from "./revocations.ts";
import { type CodeTicket, type IssuedTokens, openTicket, type RefreshBody } from "./tickets.ts";
import { useOnce } from "./used.ts";

/**
 * Redeems an authorization code. The code is marked as used last of all, when the tokens are ready: a request that was
 * refused does not use it up, and a process that dies on the way has not used it either.
 */
export async function redeemCode(
  parts: BridgeParts,
  revocations: Revocations,
  client: Client,
  form: URLSearchParams,
): Promise<IssuedTokens> {
  const { config, sealer, store, clock, log, counters } = parts;
  const text = parameter(form, "code");
  if (text === undefined) throw failure("token_parameter_missing");
  const opened = await openTicket(sealer, "code", text);
  if (!opened.ok) throw failure(opened.reason === "expired" ? "code_expired" : "code_invalid");
  const code = opened.value;
  const { grant } = code;
  if (grant.client !== client.key) throw failure("code_client_mismatch");
  await checkBinding(code, form);

  const leftMs = (opened.expiresAtMs ?? clock.now()) - clock.now();
  const text2 = await readKeptText(parts, code.kept);
  if (text2 === undefined) throw failure("code_tokens_lost");
  const body: RefreshBody = JSON.parse(text2);
  const { subject } = body.identity;
  const about = { grantId: grant.id, client: grant.client, subject, originMs: grant.originMs };
  if (await revocations.check(about) !== undefined) throw failure("refresh_revoked");
  const { tokens } = await issueTokens(parts, grant, body);
  if (!await useOnce(store, "code", code.jti, leftMs)) {
    // RFC 6749 section 4.1.2: what the code had led to is not trusted any more.
    await revokeGrant(store, grant.id, "code_replay", config.grantTtlMs);
    revocations.forget(about);
    counters.add("mcp_auth_replay_detected_total", { kind: "code" });
    log.warn("authorization_code_replay", { grant: grant.id, subject, client: grant.client });
    throw failure("code_replay");
  }
  if (config.tokenFollowsIdp && body.idp?.refreshToken === undefined) noteNoRefresh(parts);
  counters.add("mcp_auth_tokens_issued_total", { grant_type: "authorization_code" });
  funnelOf(parts).issued(grant);
  log.info("token_issued", { subject, client: grant.client, grant: grant.id });
  return tokens;
}

async function checkBinding(code: CodeTicket, form: URLSearchParams): Promise<void> {
  const uri = parameter(form, "redirect_uri");
  // OAuth 2.1 leaves redirect_uri out and relies on PKCE; where it is there it must be that of the request.
  if (uri === undefined && code.challenge === undefined) throw failure("token_parameter_missing");
  if (uri !== undefined && uri !== code.uri) throw failure("code_redirect_mismatch");
  const verifier = parameter(form, "code_verifier");
  if (code.challenge === undefined) {
    // A verifier without a challenge: somebody took the challenge out of the request.
    if (verifier !== undefined) throw failure("code_verifier_mismatch");
    return;
  }
  if (verifier === undefined) throw failure("token_parameter_missing");
  if (!isCodeVerifier(verifier)) throw failure("verifier_malformed");
  if (!await matchesChallenge(verifier, code.challenge)) throw failure("code_verifier_mismatch");
}

const noted = new WeakSet<object>();

function noteNoRefresh(parts: BridgeParts): void {
  if (noted.has(parts)) return;
  noted.add(parts);
  parts.log.warn("idp_gave_no_refresh_token", {
    provider: parts.idp.name,
    hint: "users log in again when the IdP's token ends; ask the IdP for offline access",
  });
}
