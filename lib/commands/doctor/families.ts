/** Whether a host answers over IPv4 and IPv6 alike: clients on other networks take the other way. */
import { openGate } from "../../base/pinned_gate.ts";
import type { HttpClientConfig } from "../../base/http_config.ts";
import { certificateAuthorities } from "../../base/ca.ts";
import { describeError } from "../../base/errors.ts";
import { proxyFor } from "../../base/proxy.ts";
import { silentLog } from "../../base/log.ts";
import type { Report } from "./report.ts";

/** How a name becomes addresses, by record type. */
export type ResolveFamily = (hostname: string, type: "A" | "AAAA") => Promise<readonly string[]>;

const system: ResolveFamily = async (hostname, type) => {
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(hostname, { all: true, family: type === "A" ? 4 : 6 });
  return found.map(({ address }) => address);
};

/** Adds a line for each family; an address that does not answer while another does is a failure. */
export async function checkFamilies(
  report: Report,
  url: URL,
  config: HttpClientConfig,
  resolve: ResolveFamily = system,
): Promise<void> {
  const isName = !/^[\d.]+$|^\[/.test(url.hostname);
  if (!isName || url.protocol !== "https:" || proxyFor(url, config) !== undefined) return;
  for (const [type, family] of [["A", "IPv4"], ["AAAA", "IPv6"]] as const) {
    const addresses = await resolve(url.hostname, type).catch(() => []);
    const [address] = addresses;
    if (address === undefined) {
      report.add("note", "addresses", `${url.hostname} has no ${family} address`);
      continue;
    }
    try {
      const status = await statusAt(url, address, config);
      report.add("ok", "addresses", `${url.hostname} answers over ${family} (HTTP ${status})`);
    } catch (error) {
      report.add(
        "fail",
        "addresses",
        `${url.hostname} does not answer over ${family} at ${address}: ${describeError(error)}`,
        `Clients whose network prefers ${family} fail. Repair it, or take the ${type} record away.`,
      );
    }
  }
}

async function statusAt(url: URL, address: string, config: HttpClientConfig): Promise<number> {
  using gate = openGate({ address, port: Number(url.port || 443) });
  using client = Deno.createHttpClient({
    caCerts: certificateAuthorities(config.caFiles, silentLog),
    proxy: { url: gate.proxyUrl },
  });
  try {
    const response = await fetch(url, { client, redirect: "manual", signal: AbortSignal.timeout(8_000) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    throw gate.failure() ?? error;
  }
}
