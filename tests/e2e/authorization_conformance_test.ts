/** The conformance suite plays an MCP client against our authorization server; a scripted browser plays the person. */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { discover, register } from "../support/oauth_client.ts";

const suite = "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12";

// As a public client: the suite sends no secret to a server that offers `none`, so a client with one cannot be played.
Deno.test("the authorization scenarios of the conformance suite pass", async () => {
  await using idp = await startIdp();
  await using upstream = startUpstream();
  await using http = await startHttpMode({ idp, upstreamUrl: upstream.url });
  const port = unusedPort();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const { server, resource } = await discover(http.mcpUrl);
  const client = await register(server, { redirect_uris: [redirectUri] });

  const { code, output } = await runSuite([
    ...["--url", http.baseUrl, "--client-id", client.clientId, "--port", String(port)],
    ...["--resource", resource.resource],
  ], redirectUri);

  assert.equal(code, 0, output);
  assert.match(output, /authorization-server-metadata-endpoint: \d+ passed, 0 failed/);
  assert.match(output, /authorization-code-grant: \d+ passed, 0 failed/);
});

/** Runs the suite; when it prints an address for the browser, goes there and brings back what comes of it. */
async function runSuite(args: string[], redirectUri: string): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-config", "--no-lock", suite, "authorization", ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(180_000),
  }).spawn();
  let output = "";
  const visited = new Set<string>();
  const visits: Promise<unknown>[] = [];
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      for (const [url] of output.matchAll(/https?:\/\/\S+\/authorize\?\S+(?=\s)/g)) {
        if (visited.has(url)) continue;
        visited.add(url);
        visits.push(visit(url, redirectUri));
      }
    }
  };
  const [{ code }] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  await Promise.all(visits);
  return { code, output };
}

async function visit(url: string, redirectUri: string): Promise<void> {
  const end = await newBrowser({ user: "alice" }).authorize(url, redirectUri);
  const response = await fetch(end);
  await response.body?.cancel();
}
