/** What a browser asks before it lets a page of another origin speak to a server. */
import type { HttpClient } from "../../base/http_client.ts";
import type { ServerMetadata } from "../../oauth/server_metadata.ts";

/** The addresses that a client in a browser calls. */
export interface BrowserCalls {
  readonly origin: string;
  readonly url: URL;
  readonly metadataUrl: URL | undefined;
  readonly server: ServerMetadata;
}

/** One sentence for each address that a browser would not let the page call. */
export async function checkPreflights(http: HttpClient, calls: BrowserCalls): Promise<string[]> {
  const mcp = "authorization, content-type, mcp-protocol-version, mcp-session-id, last-event-id";
  const asked: readonly (readonly [url: string | undefined, method: string, headers: string])[] = [
    [calls.url.href, "POST", mcp],
    [calls.metadataUrl?.href, "GET", "mcp-protocol-version"],
    [calls.server.registration_endpoint, "POST", "content-type"],
    [calls.server.token_endpoint, "POST", "content-type"],
  ];
  const problems: string[] = [];
  for (const [url, method, headers] of asked) {
    if (url === undefined) continue;
    const problem = await preflight(http, url, { origin: calls.origin, method, headers });
    if (problem !== undefined) problems.push(`CORS: ${method} ${new URL(url).pathname} ${problem}`);
  }
  const response = await http.fetch(calls.url, {
    method: "POST",
    headers: { origin: calls.origin, "content-type": "application/json" },
    body: "{}",
    timeoutMs: 15_000,
  });
  await response.body?.cancel();
  const exposed = (response.headers.get("access-control-expose-headers") ?? "").toLowerCase();
  if (!allows(response, calls.origin)) {
    problems.push("CORS: the 401 cannot be read by a page (no Access-Control-Allow-Origin)");
  } else if (!/www-authenticate|\*/.test(exposed)) {
    problems.push("CORS: WWW-Authenticate is not exposed to pages");
  }
  return problems;
}

async function preflight(
  http: HttpClient,
  url: string,
  asked: { origin: string; method: string; headers: string },
): Promise<string | undefined> {
  const response = await http.fetch(url, {
    method: "OPTIONS",
    headers: {
      "origin": asked.origin,
      "access-control-request-method": asked.method,
      "access-control-request-headers": asked.headers,
    },
    timeoutMs: 15_000,
  });
  await response.body?.cancel();
  if (!response.ok) return `fails its preflight (${response.status})`;
  if (!allows(response, asked.origin)) return "does not allow other origins";
  const allowed = listOf(response.headers.get("access-control-allow-headers"));
  const missing = listOf(asked.headers).filter((name) =>
    !allowed.includes(name) && (name === "authorization" || !allowed.includes("*"))
  );
  if (missing.length > 0) return `does not allow the header ${missing.join(", ")}`;
  const methods = listOf(response.headers.get("access-control-allow-methods"));
  const simple = asked.method === "GET" || asked.method === "POST";
  return simple || methods.includes(asked.method.toLowerCase()) || methods.includes("*")
    ? undefined
    : `does not allow ${asked.method}`;
}

function allows(response: Response, origin: string): boolean {
  const allowed = response.headers.get("access-control-allow-origin");
  return allowed === "*" || allowed === origin;
}

function listOf(header: string | null): string[] {
  return (header ?? "").toLowerCase().split(",").map((name) => name.trim()).filter((name) => name !== "");
}
