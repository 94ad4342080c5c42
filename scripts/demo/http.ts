import { startProxy } from "./proxy.ts";
import { audience, type DemoOptions, freePort, startWorld } from "./world.ts";

/** The web connector: mcp-doorman in http mode between MCP clients, the IdP and the sample server. */
export async function httpDemo(options: DemoOptions): Promise<void> {
  await using world = await startWorld(options.validating);
  const { idp, upstream } = world;
  const port = freePort(options.port);
  const baseUrl = `http://localhost:${port}`;
  await idp.addRedirect(`${baseUrl}/auth/callback`);
  const args = [
    "--transport",
    "http",
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--proxy-base-url",
    baseUrl,
    "--inbound-auth-provider",
    "oidc",
    "--oidc-issuer-url",
    idp.issuer,
    "--oidc-client-id",
    idp.clientId,
    "--oidc-client-secret",
    idp.clientSecret,
    ...(options.validating
      ? ["--outbound-auth", "forward", "--audience", audience]
      : ["--outbound-auth", "none"]),
    upstream.url,
  ];
  await using proxy = await startProxy(args, baseUrl);
  console.log(introduction(baseUrl, idp.issuer, upstream.url, args, options.validating));
  const ended = await Promise.race([options.until, proxy.exited]);
  if (ended !== undefined) throw new Error(`mcp-doorman ended with ${ended}`);
}

function introduction(
  baseUrl: string,
  issuer: string,
  upstreamUrl: string,
  args: readonly string[],
  validating: boolean,
): string {
  return `
  Connector    ${baseUrl}/mcp
  Log in as    alice or bob (a button each on the test IdP's page; no password)
  Test IdP     ${issuer}
  MCP server   ${upstreamUrl} (${
    validating ? "validates the IdP's tokens; its tool `claims` returns their claims" : "no auth of its own"
  })

  Started as
    mcp-doorman ${args.join(" ").replaceAll(" --", " \\\n      --").replace(/ (\S+)$/, " \\\n      $1")}

  Claude Code
    claude mcp add --transport http doorman-demo ${baseUrl}/mcp
  MCP Inspector (Transport Type "Streamable HTTP", URL ${baseUrl}/mcp, Connection Type "Via Proxy")
    npx -y @modelcontextprotocol/inspector
  Without a token it answers 401 and says where to log in
    curl -i ${baseUrl}/mcp -H 'content-type: application/json' \\
      -H 'accept: application/json, text/event-stream' -d '{"jsonrpc":"2.0","id":1,"method":"ping"}'

  Ctrl-C ends all.
`;
}
