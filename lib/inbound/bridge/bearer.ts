import type { SealFailure } from "../../crypto/sealer.ts";
import type { Caller } from "../../oauth/caller.ts";
import { missingRequired } from "../allow.ts";
import { asOAuthError, countRefusal } from "./answers.ts";
import { type Cause, failure } from "./failures.ts";
import { funnelOf } from "./funnel.ts";
import { refuseIdentity } from "./identity.ts";
import { tokenBody } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import type { Revocations } from "./revocations.ts";
import { type AccessBody, type AccessTicket, openTicket } from "./tickets.ts";

const causes: Record<SealFailure, Cause> = {
  malformed: "invalid_token",
  unknown_key: "invalid_token",
  wrong_purpose: "invalid_token",
  wrong_audience: "audience_mismatch",
  expired: "token_expired",
};

/** A caller of the bridge, with what its revocation is looked up by. */
interface BridgeCaller extends Caller {
  readonly tokenId: string;
  readonly originMs: number;
}

/** Who presents this access token. @throws OAuthError */
export async function authenticate(
  parts: BridgeParts,
  revocations: Revocations,
  bearer: string,
): Promise<Caller> {
  try {
    return await judge(parts, revocations, bearer);
  } catch (thrown) {
    const error = asOAuthError(thrown);
    countRefusal(parts, error);
    throw error;
  }
}

async function judge(parts: BridgeParts, revocations: Revocations, bearer: string): Promise<Caller> {
  const opened = await openTicket(parts.sealer, "access", bearer);
  if (!opened.ok) throw failure(causes[opened.reason]);
  const ticket = opened.value;
  if (ticket.grant.resource !== parts.config.resource) throw failure("resource_mismatch");
  const body = await tokenBody<AccessBody>(parts, ticket.body);
  if (body === undefined) throw failure("invalid_token");
  const caller = callerOf(ticket, body, opened.expiresAtMs ?? opened.issuedAtMs);
  const cause = await revocationOf(revocations, caller);
  if (cause !== undefined) throw failure(cause);
  // The lists may have become shorter since the token was issued.
  const refusal = refuseIdentity(body.identity, parts.config);
  if (refusal !== undefined) throw failure(refusal);
  if (missingRequired(caller.scopes, parts.config.allow).length > 0) throw failure("scope_insufficient");
  funnelOf(parts).used(ticket.grant);
  return caller;
}

/** Whether a caller that was let in before has been revoked since. */
export async function isRevoked(revocations: Revocations, caller: Caller): Promise<boolean> {
  return isOurs(caller) && await revocationOf(revocations, caller) !== undefined;
}

function isOurs(caller: Caller): caller is BridgeCaller {
  return "tokenId" in caller && "originMs" in caller;
}

function revocationOf(revocations: Revocations, caller: BridgeCaller): Promise<Cause | undefined> {
  const { grantId = "", clientId: client, subject, originMs, tokenId } = caller;
  return revocations.checkRemembered({ grantId, client, subject, originMs, tokenId });
}

function callerOf(ticket: AccessTicket, body: AccessBody, expiresAtMs: number): BridgeCaller {
  const { grant } = ticket;
  const { claims, groups, machine: _, ...who } = body.identity;
  return {
    ...who,
    groups,
    clientId: grant.client,
    scopes: grant.scopes,
    expiresAtMs,
    grantId: grant.id,
    ...(body.idpToken === undefined ? {} : { forwardable: body.idpToken }),
    claims: {
      ...claims,
      sub: who.subject,
      ...(who.email === undefined ? {} : { email: who.email }),
      ...(who.emailVerified === undefined ? {} : { email_verified: who.emailVerified }),
      ...(who.name === undefined ? {} : { name: who.name }),
      groups,
      client_id: grant.client,
      scope: grant.scopes.join(" "),
      auth_time: Math.floor(grant.originMs / 1000),
    },
    tokenId: ticket.jti,
    originMs: grant.originMs,
  };
}
