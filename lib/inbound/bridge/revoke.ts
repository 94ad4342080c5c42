import type { Context } from "hono";
import { describeError } from "../../base/errors.ts";
import { authenticateClient } from "./client_auth.ts";
import { failure } from "./failures.ts";
import { parameter, readForm } from "./forms.ts";
import { tokenBody } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import { type Revocations, revokeGrant, revokeToken } from "./revocations.ts";
import { type Grant, openTicket, type RefreshBody } from "./tickets.ts";
import { clientError } from "./token.ts";

/**
 * POST of a token that the client no longer wants (RFC 7009). A refresh token ends its whole login, here and at the
 * IdP; an access token ends alone. A token that is not valid, or not this client's, is answered like one that was.
 */
export function revokeStep(parts: BridgeParts, revocations: Revocations) {
  return async (c: Context): Promise<Response> => {
    try {
      const form = await readForm(c, [
        "token",
        "token_type_hint",
        "client_id",
        "client_secret",
        "client_assertion",
      ]);
      const client = await authenticateClient(parts, c, form);
      const token = parameter(form, "token");
      if (token === undefined) throw failure("token_parameter_missing");
      await revoke(parts, revocations, { client: client.key, token });
      return new Response(null, {
        status: 200,
        headers: { "cache-control": "no-store", pragma: "no-cache" },
      });
    } catch (error) {
      return clientError(parts, c, error, "revoke");
    }
  };
}

async function revoke(
  parts: BridgeParts,
  revocations: Revocations,
  request: { readonly client: string; readonly token: string },
): Promise<void> {
  const { sealer, store, config, clock, log } = parts;
  const refresh = await openTicket(sealer, "refresh", request.token);
  if (refresh.ok && refresh.value.grant.client === request.client) {
    const { grant, subject, body } = refresh.value;
    await revokeGrant(store, grant.id, "revoked_by_client", config.grantTtlMs);
    revocations.forget(about(grant, subject));
    log.info("grant_revoked", { grant: grant.id, subject, client: grant.client });
    await revokeAtIdp(parts, await tokenBody<RefreshBody>(parts, body));
    return;
  }
  const access = await openTicket(sealer, "access", request.token);
  if (access.ok && access.value.grant.client === request.client) {
    const { jti, grant, subject } = access.value;
    await revokeToken(store, jti, (access.expiresAtMs ?? clock.now()) - clock.now() + 60_000);
    revocations.forget({ ...about(grant, subject), tokenId: jti });
    log.info("token_revoked", { grant: grant.id, subject, client: grant.client });
  }
}

function about(grant: Grant, subject: string) {
  return { grantId: grant.id, client: grant.client, subject, originMs: grant.originMs };
}

/** The login has ended whatever the IdP says. */
async function revokeAtIdp(parts: BridgeParts, body: RefreshBody | undefined): Promise<void> {
  const refreshToken = body?.idp?.refreshToken;
  if (refreshToken === undefined) return;
  try {
    await parts.idp.revoke(refreshToken);
  } catch (error) {
    parts.log.warn("idp_revocation_failed", { cause: describeError(error) });
  }
}
