/** The address that users type into their MCP clients, from the outside. */
import type { HttpClient } from "../../base/http_client.ts";
import type { HttpClientConfig } from "../../base/http_config.ts";
import { describeError } from "../../base/errors.ts";
import { NetworkError } from "../../base/network_error.ts";
import { clientTable } from "./client_table.ts";
import { checkFamilies, type ResolveFamily } from "./families.ts";
import { firstBodies, playClient } from "./play_client.ts";
import type { Report } from "./report.ts";

/** Plays every client; says which would fail and why. Returns whether a login is needed at all. */
export async function checkPublicUrl(
  report: Report,
  url: URL,
  network: { http: HttpClient; config: HttpClientConfig; resolve?: ResolveFamily },
): Promise<boolean> {
  const { http, config, resolve } = network;
  if (url.protocol !== "https:" && !/^(localhost|127\.|\[::1\])/.test(url.hostname)) {
    report.add("warn", "https", `${url.origin} is not https: most clients refuse it`, "Put it behind TLS.");
  }
  const status = await unauthenticated(report, http, url);
  if (status === undefined) return false;
  await checkFamilies(report, url, config, resolve);
  if (status < 300) {
    report.add("ok", "challenge", `${url.href} answers without a login; whoever reaches it may use it`);
    return false;
  }
  await checkPlaces(report, http, url);
  for (const client of clientTable) {
    const because = await playClient({ http, url }, client);
    const limited = because.some((reason) => /HTTP 429|answered 429/.test(reason));
    if (limited) {
      report.add(
        "note",
        "rate_limited",
        `${client.name} was not judged to the end: the server limits how often we ask`,
      );
    }
    report.clients.push({
      client: client.name,
      ok: because.length === 0 || limited,
      because: limited ? [] : because,
    });
  }
  return true;
}

/** Documents where only some clients look; a server can do without, and its users of those clients cannot. */
async function checkPlaces(report: Report, http: HttpClient, url: URL): Promise<void> {
  const places = [
    ["/.well-known/oauth-protected-resource", "ChatGPT and clients that do not read the challenge"],
    ["/.well-known/oauth-authorization-server", "clients of the revision 2025-03-26"],
  ] as const;
  for (const [path, who] of places) {
    const response = await http.fetch(new URL(path, url), { timeoutMs: 15_000 }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) continue;
    report.add(
      "note",
      "places",
      `${path} is not there (${response?.status ?? "no answer"}); ${who} look for it`,
    );
  }
}

/** The status of a request without a token; `undefined` when there is no answer, or no sense in going on. */
async function unauthenticated(report: Report, http: HttpClient, url: URL): Promise<number | undefined> {
  try {
    const response = await http.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "accept": "application/json, text/event-stream" },
      body: JSON.stringify(firstBodies.initialize),
      timeoutMs: 15_000,
    });
    await response.body?.cancel();
    const { status } = response;
    if (status === 404 || status === 405) {
      report.add(
        "fail",
        "reach",
        `${url.href} answers HTTP ${status}: no MCP server is at this path`,
        "Check the path; it is usually /mcp.",
      );
      return undefined;
    }
    if (status >= 300 && status < 400) {
      const to = response.headers.get("location") ?? "nowhere";
      report.add(
        "fail",
        "reach",
        `${url.href} redirects to ${to}`,
        "Give clients the final address: most do not follow.",
      );
      return undefined;
    }
    if (status >= 500) {
      report.add(
        "fail",
        "reach",
        `${url.href} answers HTTP ${status}`,
        "The server, or what stands before it, is out of order.",
      );
      return undefined;
    }
    report.add("ok", "reach", `${url.href} answers (HTTP ${status} without a token)`);
    return status;
  } catch (error) {
    const hint = error instanceof NetworkError ? error.hint : undefined;
    report.add("fail", "reach", describeError(error), hint);
    return undefined;
  }
}
