/**
 * `npx -y mcp-doorman@latest …`, as users of mcp-remote expect it: the packages of a release, packed by npm, in a
 * registry of their own, installed by npx into an empty cache.
 */
import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { targets } from "../../scripts/build/archive.ts";
import { writeMainPackage, writePlatformPackage } from "../../scripts/release/npm_packages.ts";
import { startIdp } from "../fakes/idp.ts";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { type NpmRegistry, startNpmRegistry } from "../support/npm_registry.ts";
import { baseEnv, doormanCommand } from "../support/process.ts";
import { findProgram } from "../support/services.ts";
import { browserFor } from "../support/stdio_client.ts";

const { command, compiled } = doormanCommand();
const here = targets.find(({ triple }) => triple === Deno.build.target);
// npx is a script that a shell starts there; the launcher is the same.
const ignore = !compiled || here === undefined || findProgram("npx") === undefined ||
  Deno.build.os === "windows";

Deno.test({
  name:
    "npx installs the launcher and this platform's executable, nothing else, and an MCP client gets through",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    await using registry = startNpmRegistry();
    try {
      await publishAll(registry, folder);
      await using idp = await startIdp({ audience: "mcp-server" });
      await using upstream = startUpstream({
        validating: { issuer: idp.issuer, audience: "mcp-server", metadata: false },
      });
      const redirect = `http://localhost:${unusedPort()}/auth/callback`;
      await idp.addRedirect(redirect);

      const client = new Client({ name: "npx", version: "1.0.0" });
      await client.connect(
        new StdioClientTransport({
          command: "npx",
          args: ["-y", "mcp-doorman@latest", upstream.url],
          env: {
            ...npmEnv(registry, folder, "a-new-cache"),
            OIDC_ISSUER_URL: idp.issuer,
            OIDC_CLIENT_ID: idp.clientId,
            OIDC_CLIENT_SECRET: idp.clientSecret,
            OIDC_REDIRECT_URL: redirect,
            BROWSER: browserFor("alice"),
          },
          cwd: folder,
          stderr: "ignore",
        }),
      );
      const claims = await client.callTool({ name: "claims" });
      await client.close();

      assert.match(JSON.stringify(claims.content), /alice@example\.com/);
      const tarballs = registry.asked.filter((path) => path.endsWith(".tgz"));
      assert.deepEqual(tarballs.map((path) => path.split("/")[0]).sort(), [
        "mcp-doorman",
        `mcp-doorman-${here?.name}`,
      ]);
      assert.deepEqual(registry.asked.filter((path) => !path.startsWith("mcp-doorman")), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Packs and publishes what a release does; of the other platforms only the name, for npm is not to fetch them. */
async function publishAll(registry: NpmRegistry, folder: string): Promise<void> {
  const names: string[] = [];
  for (const target of targets) {
    const package_ = `${folder}/${target.name}`;
    await Deno.mkdir(package_);
    if (target === here) await Deno.copyFile(command, `${package_}/mcp-doorman${target.exe}`);
    names.push(await writePlatformPackage(package_, target));
    await publish(registry, package_, folder);
  }
  await writeMainPackage(`${folder}/main`, names);
  await publish(registry, `${folder}/main`, folder);
}

async function publish(registry: NpmRegistry, package_: string, folder: string): Promise<void> {
  const manifest = JSON.parse(await Deno.readTextFile(`${package_}/package.json`));
  assert.equal(manifest.scripts, undefined);
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: ["pack", "--silent", "--pack-destination", folder],
    cwd: package_,
    clearEnv: true,
    env: npmEnv(registry, folder, "cache-of-pack"),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  await registry.publish(`${folder}/${new TextDecoder().decode(stdout).trim()}`, manifest);
}

function npmEnv(registry: NpmRegistry, folder: string, cache: string): Record<string, string> {
  return {
    ...baseEnv(folder),
    npm_config_registry: registry.url,
    npm_config_cache: `${folder}/${cache}`,
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
  };
}
