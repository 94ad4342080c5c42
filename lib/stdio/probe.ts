/** Asking an upstream without credentials, to see whether and how it wants to be logged in to. */
import type { HttpClient } from "../base/http_client.ts";

/** What the upstream said to an unauthenticated `initialize`. */
export interface ProbeAnswer {
  readonly status: number;
  /** The `WWW-Authenticate` header. */
  readonly challenge: string | null;
}

const message = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "mcp-doorman", version: "1" },
  },
};

/** Ends the session again if the upstream opened one. @throws NetworkError when it cannot be reached */
export async function probeUpstream(
  http: HttpClient,
  url: URL,
  headers: readonly (readonly [name: string, value: string])[],
): Promise<ProbeAnswer> {
  const sent = new Headers([
    ["accept", "application/json, text/event-stream"],
    ["content-type", "application/json"],
    ...headers as [string, string][],
  ]);
  const response = await http.fetch(url, {
    method: "POST",
    headers: sent,
    body: JSON.stringify(message),
    timeoutMs: 15_000,
  });
  await response.body?.cancel();
  const session = response.headers.get("mcp-session-id");
  if (session !== null) {
    sent.set("mcp-session-id", session);
    const ended = await http.fetch(url, { method: "DELETE", headers: sent, timeoutMs: 5_000 }).catch(() =>
      undefined
    );
    await ended?.body?.cancel();
  }
  return { status: response.status, challenge: response.headers.get("www-authenticate") };
}
