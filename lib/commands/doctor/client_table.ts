/** The MCP clients that the doctor plays, as data: what each was recorded, or is documented, to send. */

/** One client. */
export interface ClientProfile {
  readonly name: string;
  /** Of its OAuth requests; `undefined`: none at all. */
  readonly userAgent: string | undefined;
  /** Of its MCP requests, where that differs. */
  readonly mcpUserAgent?: string;
  /** How it asks first: some probe with a GET. */
  readonly first: "initialize" | "discover" | "get";
  /** Its own metadata document, which it uses instead of registering where the server reads such documents. */
  readonly documentUrl?: string;
  /** Beside `redirect_uris`, what it registers with. */
  readonly registration: Readonly<Record<string, unknown>>;
  readonly redirectUris: readonly string[];
  /** What it comes back to when it is not the first registered one: another loopback port. */
  readonly comesBackTo?: string;
  /** Wants the resource's metadata to name exactly the address that the user typed. */
  readonly strictResource?: boolean;
  /** Runs in a browser at this origin, so that everything depends on CORS. */
  readonly origin?: string;
  /** Compares the authorization server's issuer with where it was found. */
  readonly strictIssuer?: boolean;
}

const both = { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] };

/** In the order of the report. */
export const clientTable: readonly ClientProfile[] = [
  {
    name: "claude.ai and Claude Desktop",
    userAgent: "python-httpx/0.28.1",
    mcpUserAgent: "Claude-User",
    first: "initialize",
    documentUrl: "https://claude.ai/oauth/mcp-oauth-client-metadata",
    redirectUris: ["https://claude.ai/api/mcp/auth_callback"],
    registration: { client_name: "Claude", token_endpoint_auth_method: "client_secret_post", ...both },
  },
  {
    name: "Claude Code",
    userAgent: "claude-code/2.0.0",
    first: "initialize",
    documentUrl: "https://claude.ai/oauth/claude-code-client-metadata",
    redirectUris: ["http://localhost:3118/callback"],
    comesBackTo: "http://localhost:51763/callback",
    registration: { client_name: "Claude Code", token_endpoint_auth_method: "none", ...both },
  },
  {
    name: "ChatGPT",
    userAgent: "openai-mcp/1.0.0",
    first: "initialize",
    redirectUris: ["https://chatgpt.com/connector/oauth/doctor"],
    registration: { client_name: "ChatGPT", token_endpoint_auth_method: "none", ...both },
  },
  {
    name: "Cursor",
    userAgent: "node",
    first: "initialize",
    redirectUris: [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ],
    registration: { client_name: "Cursor", token_endpoint_auth_method: "none", ...both },
  },
  {
    name: "VS Code",
    userAgent: "node",
    first: "initialize",
    redirectUris: ["http://127.0.0.1/", "http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    comesBackTo: "http://127.0.0.1:50123/",
    registration: {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      token_endpoint_auth_method: "none",
      ...both,
    },
    strictResource: true,
  },
  {
    name: "Gemini CLI",
    userAgent: "node",
    first: "initialize",
    redirectUris: ["http://localhost:7777/oauth/callback"],
    registration: { client_name: "Gemini CLI", token_endpoint_auth_method: "none", ...both },
    strictResource: true,
  },
  {
    name: "MCP Inspector (in the browser)",
    userAgent:
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    first: "initialize",
    redirectUris: ["http://localhost:6274/oauth/callback"],
    registration: { client_name: "MCP Inspector", token_endpoint_auth_method: "none", ...both },
    origin: "http://localhost:6274",
  },
  {
    name: "mcp-remote",
    userAgent: "node",
    first: "get",
    redirectUris: ["http://localhost:14523/oauth/callback"],
    registration: {
      client_name: "mcp-remote",
      token_endpoint_auth_method: "none",
      application_type: "native",
      ...both,
    },
    strictIssuer: true,
  },
  {
    name: "Python SDK and FastMCP",
    userAgent: undefined,
    first: "discover",
    redirectUris: ["http://localhost:40123/callback"],
    comesBackTo: "http://localhost:40999/callback",
    registration: { client_name: "FastMCP Client", scope: "", ...both },
    strictIssuer: true,
  },
];
