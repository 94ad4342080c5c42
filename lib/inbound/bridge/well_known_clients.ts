import type { ClientDocument } from "./client_documents.ts";

/**
 * What the documents of the best-known clients say, for a machine that may not go out to read them. Used only when the
 * document itself cannot be fetched.
 */
export const wellKnownClients: Readonly<Record<string, ClientDocument>> = {
  "https://claude.ai/oauth/mcp-oauth-client-metadata": {
    name: "Claude",
    redirectUris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
    auth: "none",
  },
  "https://claude.ai/oauth/claude-code-client-metadata": {
    name: "Claude Code",
    redirectUris: ["http://localhost/callback", "http://127.0.0.1/callback"],
    auth: "none",
  },
  "https://chatgpt.com/oauth/client.json": {
    name: "ChatGPT",
    redirectUris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
    auth: "none",
  },
  "https://chatgpt.com/oauth/codex/client.json": {
    name: "Codex",
    redirectUris: ["http://127.0.0.1/callback", "http://localhost/callback"],
    auth: "none",
  },
  "https://vscode.dev/oauth/client-metadata.json": {
    name: "Visual Studio Code",
    redirectUris: ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    auth: "none",
  },
  "https://zed.dev/oauth/client-metadata.json": {
    name: "Zed",
    redirectUris: ["http://127.0.0.1/callback"],
    auth: "none",
  },
  "https://opencode.ai/oauth/opencode/client.json": {
    name: "opencode",
    redirectUris: ["http://127.0.0.1/callback", "http://localhost/callback"],
    auth: "none",
  },
};
