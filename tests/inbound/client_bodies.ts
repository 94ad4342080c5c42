/** Registration bodies as published clients send them, and the redirect URI that each then comes back to. */
export interface ClientBody {
  readonly client: string;
  readonly body: Record<string, unknown>;
  /** What is asked for at the authorization endpoint. */
  readonly asks: string;
  /** URIs of the body that are not for us; default none. */
  readonly refused?: readonly string[];
  /** Default: as asked, or `none`. */
  readonly method?: string;
}

const usual = {
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
};

export const clientBodies: readonly ClientBody[] = [
  {
    client: "claude.ai",
    body: {
      ...usual,
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
      token_endpoint_auth_method: "client_secret_post",
      scope: "openid email",
    },
    asks: "https://claude.ai/api/mcp/auth_callback",
  },
  {
    client: "Claude Code",
    body: {
      ...usual,
      client_name: "Claude Code (door)",
      redirect_uris: ["http://localhost:51763/callback"],
      token_endpoint_auth_method: "none",
    },
    asks: "http://localhost:61001/callback",
  },
  {
    client: "ChatGPT",
    body: {
      ...usual,
      client_name: "ChatGPT",
      redirect_uris: ["https://chatgpt.com/connector/oauth/abcDEF123"],
      token_endpoint_auth_method: "none",
    },
    asks: "https://chatgpt.com/connector/oauth/abcDEF123",
  },
  {
    client: "Codex",
    body: {
      ...usual,
      client_name: "Codex",
      redirect_uris: ["http://127.0.0.1:34561/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
    asks: "http://127.0.0.1:40001/callback",
  },
  {
    client: "Cursor",
    body: {
      ...usual,
      client_name: "Cursor",
      redirect_uris: [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
      ],
      token_endpoint_auth_method: "none",
    },
    asks: "cursor://anysphere.cursor-mcp/oauth/callback",
  },
  {
    client: "Cursor, older",
    body: {
      ...usual,
      client_name: "Cursor",
      redirect_uris: ["cursor://anysphere.cursor-retrieval/oauth/user-x/callback"],
      token_endpoint_auth_method: "none",
    },
    asks: "cursor://anysphere.cursor-retrieval/oauth/user-x/callback",
  },
  {
    client: "VS Code",
    body: {
      ...usual,
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
    asks: "http://127.0.0.1:51001/",
  },
  {
    client: "VS Code, protocol handler",
    body: {
      ...usual,
      client_name: "Visual Studio Code",
      redirect_uris: ["vscode://vscode.microsoft-authentication/callback", "vscode-insiders://dynamicauth"],
      token_endpoint_auth_method: "none",
    },
    asks: "vscode-insiders://dynamicauth",
  },
  {
    client: "Copilot Studio",
    body: {
      ...usual,
      client_name: "Power Platform connector",
      redirect_uris: ["https://global.consent.azure-apim.net/redirect/cr2d9-5f-notes-5f1a2b"],
      token_endpoint_auth_method: "client_secret_post",
    },
    asks: "https://global.consent.azure-apim.net/redirect/cr2d9-5f-notes-5f1a2b",
  },
  {
    client: "Gemini CLI",
    body: {
      ...usual,
      client_name: "Gemini CLI MCP Client",
      redirect_uris: ["http://localhost:7777/oauth/callback"],
      token_endpoint_auth_method: "none",
      scope: "",
    },
    asks: "http://localhost:7777/oauth/callback",
  },
  {
    client: "MCP Inspector",
    body: {
      ...usual,
      client_name: "MCP Inspector",
      client_uri: "https://github.com/modelcontextprotocol/inspector",
      redirect_uris: ["http://127.0.0.1:6276/oauth/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "",
    },
    asks: "http://127.0.0.1:6276/oauth/callback",
  },
  {
    client: "MCP Inspector in a browser",
    body: {
      ...usual,
      client_name: "MCP Inspector",
      redirect_uris: ["http://localhost:6274/oauth/callback/debug"],
      token_endpoint_auth_method: "none",
    },
    asks: "http://localhost:6274/oauth/callback/debug",
  },
  {
    client: "mcp-remote",
    body: {
      ...usual,
      client_name: "MCP CLI Proxy",
      client_uri: "https://github.com/modelcontextprotocol/mcp-cli",
      redirect_uris: ["http://localhost:15533/oauth/callback"],
      token_endpoint_auth_method: "none",
      software_id: "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
      software_version: "0.15.1",
      application_type: "native",
    },
    asks: "http://localhost:15533/oauth/callback",
  },
  {
    client: "Python SDK 1.x",
    body: { ...usual, client_name: "py-v1", redirect_uris: ["http://localhost:3030/callback"], scope: "" },
    asks: "http://localhost:3030/callback",
    method: "none",
  },
  {
    client: "Python SDK 2.x",
    body: {
      ...usual,
      client_name: "py-v2",
      redirect_uris: ["http://localhost:3030/callback"],
      scope: "",
      application_type: "native",
    },
    asks: "http://localhost:3030/callback",
    method: "none",
  },
  {
    client: "FastMCP, back on another port",
    body: {
      ...usual,
      client_name: "FastMCP Client",
      redirect_uris: ["http://localhost:52111/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "",
    },
    asks: "http://localhost:40999/callback",
  },
  {
    client: "Go SDK",
    body: {
      ...usual,
      client_name: "go",
      redirect_uris: ["http://localhost:3142/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
    asks: "http://localhost:3142/callback",
  },
  {
    client: "Rust rmcp",
    body: {
      ...usual,
      client_name: "rmcp",
      redirect_uris: ["http://127.0.0.1:9911/callback"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "openid email",
    },
    asks: "http://127.0.0.1:9911/callback",
  },
  {
    client: "an SDK that says basic",
    body: {
      ...usual,
      client_name: "basic",
      redirect_uris: ["https://n8n.company.example/rest/oauth2-credential/callback"],
      token_endpoint_auth_method: "client_secret_basic",
    },
    asks: "https://n8n.company.example/rest/oauth2-credential/callback",
  },
  {
    client: "one with empty members",
    body: {
      client_name: "LibreChat",
      redirect_uris: ["https://chat.company.example/api/mcp/notes/oauth/callback"],
      token_endpoint_auth_method: "",
      client_uri: "",
      logo_uri: null,
      contacts: [],
      grant_types: [],
      response_types: [],
      unknown_member: { any: "thing" },
    },
    asks: "https://chat.company.example/api/mcp/notes/oauth/callback",
    method: "none",
  },
  {
    client: "one with a URI that is not for us",
    body: {
      ...usual,
      client_name: "Mixed",
      redirect_uris: ["javascript:alert(1)", "https://app.example/cb", "http://app.example/cb"],
      token_endpoint_auth_method: "none",
    },
    asks: "https://app.example/cb",
    refused: ["javascript:alert(1)", "http://app.example/cb"],
  },
];
