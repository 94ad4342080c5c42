/**
 * Logging in with a second device (RFC 8628), for machines without a browser:
 *
 *     ask for codes -> show the user's code and where to enter it -> ask for the outcome until there is one
 */
import { safeHttpUrl } from "../base/browser.ts";
import type { DeviceAuthorization } from "../oauth/client.ts";
import { OAuthFailure } from "../oauth/failure.ts";
import { identifyClient } from "./client_identity.ts";
import type { LoginResult } from "./login.ts";
import { type Door, type LoginContext, loginFailed } from "./login_context.ts";
import { announcePending } from "./pending_login.ts";

/** What RFC 8628 section 3.5 adds to the interval at each `slow_down`. */
const slowDownMs = 5_000;

/** @throws UserError when the server knows no device login, or the user refuses or does not come. */
export async function deviceLogin(context: LoginContext, door: Door): Promise<LoginResult> {
  const { server } = door;
  if (server.device_authorization_endpoint === undefined) {
    throw loginFailed(
      `${server.issuer} offers no device login`,
      "Use the browser login, with `login --paste` if need be.",
    );
  }
  const { deviceAuthorization, deviceGrant, tokenRequest } = await import("../oauth/client.ts");
  const { credential: client } = await identifyClient(context, server, [context.config.redirectUrl.href]);
  const resource = door.resource === undefined ? [] : [["resource", door.resource] as const];
  const scope = door.scopes.length === 0 ? [] : [["scope", door.scopes.join(" ")] as const];
  const device = await deviceAuthorization(context, { server, client, parameters: [...scope, ...resource] });
  using _announced = show(context, device);

  const endsAtMs = Math.min(device.expiresAtMs, context.clock.now() + context.config.loginTimeoutMs);
  for (let intervalMs = device.intervalMs; context.clock.now() < endsAtMs;) {
    await context.clock.sleep(intervalMs, context.signal);
    try {
      const tokens = await tokenRequest(context, {
        server,
        client,
        grantType: deviceGrant,
        parameters: [["device_code", device.deviceCode], ...resource],
      });
      return { tokens, client };
    } catch (error) {
      if (!(error instanceof OAuthFailure) || error.kind === "dead") throw refusal(error);
      if (error.code === "slow_down") intervalMs += slowDownMs;
    }
  }
  throw loginFailed("nobody entered the code in time", "Ask again to get a new code.");
}

function show(context: LoginContext, device: DeviceAuthorization): Disposable {
  const page = safeHttpUrl(device.verificationUri, "verification page").href;
  const whole = device.verificationUriComplete;
  const url = whole === undefined ? page : safeHttpUrl(whole, "verification page").href;
  const userCode = device.userCode.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 40);
  context.report({ state: "waiting_for_user", url, userCode });
  const announced = announcePending(context.cache.dir, context.key, { url, userCode });
  context.print(
    `To log in to ${context.upstreamUrl.host}, open ${page} on any device and enter the code ${userCode}`,
  );
  return announced;
}

function refusal(error: unknown): unknown {
  if (!(error instanceof OAuthFailure)) return error;
  if (error.code === "access_denied") return loginFailed("access was denied on the other device");
  if (error.code === "expired_token") {
    return loginFailed("nobody entered the code in time", "Ask again to get a new code.");
  }
  return error;
}
