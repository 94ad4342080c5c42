/**
 * `revoke`: ends all logins of one user or by one client, at the server that runs with the same settings. The revocation
 * goes into Redis directly; a store on a file belongs to the server, which gets an order on its admin listener, or to
 * nobody, and then it is opened here.
 */
import { systemClock } from "../base/clock.ts";
import { describeError, UserError } from "../base/errors.ts";
import { openLog } from "../base/log.ts";
import { jweSealer } from "../crypto/jwe_sealer.ts";
import { openKeyRing } from "../crypto/key_ring.ts";
import type { HttpConfig } from "../http/config.ts";
import { carryOut, type RevocationOrder, sealOrder } from "../inbound/bridge/orders.ts";
import type { BridgeConfig } from "../inbound/config.ts";
import { openStore } from "../store/open.ts";
import type { Invocation } from "./command.ts";

/** @throws UserError when nothing could be revoked. */
export async function run(invocation: Invocation): Promise<number> {
  const { subject, client } = invocation.flags;
  const order: RevocationOrder = {
    ...(typeof subject === "string" ? { subject } : {}),
    ...(typeof client === "string" ? { client } : {}),
  };
  if (Object.keys(order).length === 0) {
    throw new UserError("Cannot revoke nothing: give --subject or --client, as the log names them", {
      exitCode: 2,
    });
  }
  const config = invocation.httpConfig();
  const { inbound } = config;
  if (inbound.shape !== "bridge") {
    throw new UserError("Cannot revoke here: the tokens are the identity provider's own", {
      hint: "End the user's sessions there, or take the user off the allow-list.",
    });
  }
  const placed = config.store.kind === "redis" ? false : await orderAtServer(config, order);
  if (!placed) await revokeInStore(config, inbound, order);
  const whose = Object.entries(order).map(([name, value]) => `${name} ${value}`).join(" and ");
  console.log(`Every login of ${whose} that began until now has ended.`);
  return 0;
}

/** Gives the order to the running server; `false` when none answers. */
async function orderAtServer(config: HttpConfig, order: RevocationOrder): Promise<boolean> {
  if (config.adminListen === undefined) return false;
  const log = openLog({ ...config.log, level: "error" });
  const keys = await openKeyRing(config.keys, log);
  const sealer = jweSealer({ keys, audience: config.keys.audience, clock: systemClock, log });
  const url = adminUrl(config.adminListen);
  let answer: Response;
  try {
    answer = await fetch(url, { method: "POST", body: await sealOrder(sealer, order) });
  } catch {
    return false;
  }
  await answer.body?.cancel();
  if (answer.ok) return true;
  throw new UserError(`Cannot give the order to ${url}: it answered ${answer.status}`, {
    hint: answer.status === 503
      ? "Its store cannot be reached now; try again."
      : "Is it the server with these settings, this signing key and this public URL?",
  });
}

function adminUrl({ hostname, port }: NonNullable<HttpConfig["adminListen"]>): string {
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/orders`;
}

async function revokeInStore(
  config: HttpConfig,
  inbound: BridgeConfig,
  order: RevocationOrder,
): Promise<void> {
  const log = openLog({ ...config.log, level: "error" });
  try {
    await using store = await openStore(config.store, { clock: systemClock, log });
    await carryOut(store, order, { nowMs: systemClock.now(), ttlMs: inbound.grantTtlMs });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot write the revocation: ${describeError(error)}`, { cause: error });
  }
}
