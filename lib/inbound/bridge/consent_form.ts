import { randomText } from "../../base/bytes.ts";
import { consentPage } from "./pages/consent_page.ts";
import { brandOf } from "./pages/brand.ts";
import type { BridgeParts } from "./parts.ts";
import { type LoginRequest, sealTicket } from "./tickets.ts";

/** Makes the sealed form of the consent page and shows it. `untilMs`: when an earlier form of this request ends. */
export async function showConsent(
  parts: BridgeParts,
  form: {
    readonly request: LoginRequest;
    readonly browser: string;
    readonly account: string | undefined;
    readonly untilMs?: number;
    readonly notice?: string;
    readonly status?: number;
  },
): Promise<Response> {
  const { config, sealer, clock } = parts;
  const { request, browser, account, untilMs, notice, status } = form;
  const ttlMs = untilMs === undefined ? config.loginTtlMs : untilMs - clock.now();
  return await consentPage({
    brand: brandOf(config),
    clientName: request.name,
    clientHost: request.client.startsWith("https://") ? new URL(request.client).host : undefined,
    redirectUri: request.uri,
    resourceName: config.resourceName,
    resource: config.resource,
    scopes: request.scopes,
    account,
    token: await sealTicket(sealer, "consent", { jti: randomText(16), request, browser }, ttlMs),
    notice,
    status: status ?? 200,
  });
}
