/** A real login with the MCP SDK's own client, and the list of tools: what no play without a person can show. */
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/auth"
import { type OAuthClientProvider, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { openBrowser } from "../../base/browser.ts";
import { describeError } from "../../base/errors.ts";
import type { HttpClient } from "../../base/http_client.ts";
import { randomState } from "../../oauth/pkce.ts";
import { listenForCallback } from "../../stdio/callback_server.ts";
import type { Report } from "./report.ts";

const timeoutMs = 300_000;

/** Adds one line: how many tools there are, or why none could be listed. */
export async function checkTools(report: Report, url: URL, http: HttpClient): Promise<void> {
  const state = randomState();
  await using listener = listenForCallback([new URL("http://127.0.0.1:0/callback")], state);
  const transport = () =>
    new StreamableHTTPClientTransport(url, {
      authProvider: provider,
      fetch: (input, init) => http.fetch(input, init ?? {}),
    });
  const provider = memoryProvider(listener.redirectUri, state);
  const first = transport();
  try {
    const client = newClient();
    try {
      await client.connect(first);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      const { parameters, answer } = await within(listener.callback);
      const code = parameters.get("code");
      answer(code === null ? pages.failed : pages.done);
      if (code === null) throw new Error(`the login ended with ${parameters.get("error") ?? "no code"}`);
      await first.finishAuth(code);
      await client.connect(transport());
    }
    const { tools } = await client.listTools();
    await client.close();
    report.add("ok", "tools", `Logged in with the MCP SDK's client; the server has ${tools.length} tools`);
  } catch (error) {
    report.add("fail", "tools", `A login with the MCP SDK's client failed: ${describeError(error)}`);
  }
}

function newClient(): Client {
  return new Client({ name: "mcp-doorman doctor", version: "1.0.0" });
}

const pages = {
  done: { status: 200, title: "Logged in", text: "You can close this tab.", tone: "good" },
  failed: { status: 400, title: "Not logged in", text: "The terminal says why.", tone: "bad" },
} as const;

function memoryProvider(redirectUrl: string, state: string): OAuthClientProvider {
  let information: Awaited<ReturnType<OAuthClientProvider["clientInformation"]>>;
  let tokens: Awaited<ReturnType<OAuthClientProvider["tokens"]>>;
  let verifier = "";
  return {
    redirectUrl,
    clientMetadata: {
      client_name: "mcp-doorman doctor",
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    state: () => state,
    clientInformation: () => information,
    saveClientInformation: (saved) => void (information = saved),
    tokens: () => tokens,
    saveTokens: (saved) => void (tokens = saved),
    codeVerifier: () => verifier,
    saveCodeVerifier: (saved) => void (verifier = saved),
    async redirectToAuthorization(address) {
      const command = Deno.env.get("BROWSER");
      console.error(`Log in here:\n\n  ${address.href}\n`);
      await openBrowser(address, command ? { command } : {});
    },
  };
}

function within<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("nobody logged in within 5 minutes")), timeoutMs);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
