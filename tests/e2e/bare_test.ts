/**
 * The Linux executable in a root of its own that holds the C library and libgcc as `ldd` names them, the certificate
 * authorities, /proc, and nothing else: no Deno, no Node, no shell.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { newBrowser } from "../support/browser.ts";
import { startHttpMode } from "../support/http_mode.ts";
import { call, logIn } from "../support/oauth_client.ts";
import { doormanCommand, runDoorman, startDoorman } from "../support/process.ts";

const { command, compiled } = doormanCommand();
const ignore = !compiled || Deno.build.os !== "linux" || Deno.uid() !== 0 || !canUnshare();

Deno.test(
  { name: "the executable alone prints its version, logs in over stdio and serves http", ignore },
  async () => {
    await using bare = await bareRoot();
    await using idp = await startIdp({ audience: "mcp-server" });
    await using upstream = startUpstream({
      validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
    });

    const version = await runDoorman(["--version"], { program: bare.program });
    assert.equal(version.code, 0, version.stderr);
    assert.match(version.stdout, /^mcp-doorman \d/);

    const redirect = `http://localhost:${unusedPort()}/auth/callback`;
    await idp.addRedirect(redirect);
    {
      await using stdio = startDoorman(["--no-open-browser", upstream.url], {
        program: bare.program,
        env: {
          OIDC_ISSUER_URL: idp.issuer,
          OIDC_CLIENT_ID: idp.clientId,
          OIDC_CLIENT_SECRET: idp.clientSecret,
          OIDC_REDIRECT_URL: redirect,
        },
      });
      await stdio.write(JSON.stringify(initialize));
      const said = await stdio.line("stderr", /https?:\/\/\S+\/auth\?/);
      await newBrowser({ user: "alice" }).open(/https?:\/\/\S+\/auth\?[^\s"]+/.exec(said)?.[0] ?? "");
      await stdio.line("stdout", /"id":\s*1\b/);
      await stdio.write(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
      await stdio.write(JSON.stringify(claims));
      assert.match(await stdio.line("stdout", /"id":\s*2\b/), /alice@example\.com/);
      await stdio.closeStdin();
      assert.equal(await stdio.exited, 0);
    }

    await using http = await startHttpMode({
      idp,
      upstreamUrl: upstream.url,
      program: bare.program,
      args: ["--outbound-auth", "forward", "--audience", "mcp-server"],
    });
    const { tokens } = await logIn(http.mcpUrl, { user: "bob" });
    const answer = await call(http.mcpUrl, tokens.access_token, initialize);
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(await http.stop(), 0);
  },
);

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "bare", version: "1" } },
};

const claims = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "claims", arguments: {} } };

function canUnshare(): boolean {
  try {
    return new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

async function bareRoot() {
  const folder = await Deno.makeTempDir();
  const root = `${folder}/root`;
  const { stdout } = await new Deno.Command("ldd", { args: [command] }).output();
  const libraries = [...new TextDecoder().decode(stdout).matchAll(/(\/\S+)/g)].map(([path]) => path);
  const authorities = "/etc/ssl/certs/ca-certificates.crt";
  for (const path of [...libraries, authorities]) {
    await Deno.mkdir(root + dirname(path), { recursive: true });
    await Deno.copyFile(path, root + path).catch((error) => {
      if (path !== authorities) throw error;
    });
  }
  await Deno.mkdir(`${root}/proc`);
  await Deno.mkdir(`${root}/tmp`);
  await Deno.copyFile(command, `${root}/mcp-doorman`);
  const program = `${folder}/mcp-doorman`;
  const inside =
    `mount -t proc proc ${root}/proc && mkdir -p "${root}$HOME" && cd / && exec chroot ${root} /mcp-doorman "$@"`;
  await Deno.writeTextFile(program, `#!/bin/sh\nexec unshare -m sh -c '${inside}' sh "$@"\n`, {
    mode: 0o755,
  });
  return {
    program,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
