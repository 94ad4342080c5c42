/** The MCP server behind us: is anybody there. What it answers is its own business. */
import { describeError } from "../../base/errors.ts";
import type { HttpClient } from "../../base/http_client.ts";
import { safeUrl } from "../../base/log.ts";
import { NetworkError } from "../../base/network_error.ts";
import { firstBodies } from "./play_client.ts";
import type { Report } from "./report.ts";

export async function checkUpstream(report: Report, http: HttpClient, url: URL): Promise<void> {
  try {
    const response = await http.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "accept": "application/json, text/event-stream" },
      body: JSON.stringify(firstBodies.initialize),
      timeoutMs: 15_000,
    });
    await response.body?.cancel();
    const { status } = response;
    const found = `The upstream ${safeUrl(url)} answers HTTP ${status}`;
    if (status === 404 || status >= 500) {
      report.add("fail", "upstream", found, "Check its address and whether it runs.");
    } else if (status >= 300 && status < 400) {
      report.add("fail", "upstream", `${found} (a redirect)`, "Give its final address.");
    } else {report.add(
        "ok",
        "upstream",
        status === 401 ? `${found}: it wants a credential, as it should` : found,
      );}
  } catch (error) {
    const hint = error instanceof NetworkError ? error.hint : undefined;
    report.add("fail", "upstream", `The upstream cannot be reached: ${describeError(error)}`, hint);
  }
}
