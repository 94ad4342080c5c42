// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { newBrowser } from "../../tests/support/browser.ts";
import { textLines } from "../../tests/support/lines.ts";
import { baseEnv, doormanCommand } from "../../tests/support/process.ts";
import { type DemoOptions, freePort, startWorld } from "./world.ts";

/** Stdio mode: a scripted MCP client starts mcp-doorman as a host does, alice logs in, and a tool call goes through. */
export async function stdioDemo(options: DemoOptions): Promise<void> {
  await using world = await startWorld(true);
  const { idp, upstream } = world;
  const redirectUrl = `http://localhost:${freePort(8080)}/auth/callback`;
  await idp.addRedirect(redirectUrl);
  const home = await Deno.makeTempDir({ prefix: "doorman-demo-" });
  const settings = {
    OIDC_ISSUER_URL: idp.issuer,
    OIDC_CLIENT_ID: idp.clientId,
    OIDC_CLIENT_SECRET: idp.clientSecret,
    OIDC_REDIRECT_URL: redirectUrl,
    OIDC_AUDIENCE: "mcp-server",
  };
  try {
    await playClient(upstream.url, { ...baseEnv(home), ...settings });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
  console.log(`
  The same for Claude Desktop, Cursor or any other host (its browser login shows a button for alice and for bob):
${entry(upstream.url, settings).replaceAll(/^/gm, "    ")}

  Ctrl-C ends all.
`);
  await options.until;
}

async function playClient(upstreamUrl: string, env: Record<string, string>): Promise<void> {
  const { command, args } = doormanCommand();
  const transport = new StdioClientTransport({
    command,
    args: [...args, "--no-open-browser", upstreamUrl],
    env,
    stderr: "pipe",
  });
  const stderr = transport.stderr as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>;
  const login = loginFrom(stderr);
  const client = new Client({ name: "demo-client", version: "1.0.0" });
  const connected = client.connect(transport, { timeout: 60_000 });
  try {
    await Promise.race([connected, login]);
    await connected;
    console.log(`  connected to ${client.getServerVersion()?.name}`);
    const { tools } = await client.listTools();
    console.log(`  tools: ${tools.map((tool) => tool.name).join(", ")}`);
    const steps = await client.callTool({ name: "slow", arguments: { steps: 3, delayMs: 200 } }, undefined, {
      onprogress: ({ progress, total }) => console.log(`  slow: step ${progress} of ${total}`),
    });
    console.log(`  slow: ${JSON.stringify(steps.content)}`);
    const claims = await client.callTool({ name: "claims" });
    console.log(`  claims: ${JSON.stringify(claims.content)}`);
  } finally {
    await client.close();
  }
}

/** Reads the login URL from what mcp-doorman says on stderr and logs alice in; goes on showing the rest. */
async function loginFrom(stderr: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void> {
  let seen = false;
  for await (const line of ReadableStream.from(stderr).pipeThrough(textLines())) {
    console.log(`  mcp-doorman: ${line}`);
    const url = /https?:\/\/\S+\/auth\?[^\s"]+/.exec(line)?.[0];
    if (url === undefined || seen) continue;
    seen = true;
    console.log("  (a scripted browser opens it and logs alice in)");
    const page = await newBrowser({ user: "alice" }).open(url);
    console.log(`  browser: ${page.status} ${page.text}`);
  }
}

function entry(upstreamUrl: string, env: Record<string, string>): string {
  const { command, args } = doormanCommand();
  return JSON.stringify(
    { mcpServers: { "doorman-demo": { command, args: [...args, upstreamUrl], env } } },
    null,
    2,
  );
}
