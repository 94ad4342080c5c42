import assert from "node:assert/strict";
import { parse } from "yaml";
import { targets } from "../../scripts/build/archive.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, string>;
}

interface Workflow {
  readonly jobs: Record<string, {
    readonly "runs-on": string;
    readonly needs?: string;
    readonly strategy?: { readonly matrix: { readonly include: { os: string; target: string }[] } };
    readonly steps: Step[];
  }>;
}

async function workflow(name: string): Promise<Workflow> {
  return parse(await Deno.readTextFile(new URL(`../../.github/workflows/${name}.yml`, import.meta.url)));
}

const release = await workflow("release");

/** What Deno calls the machines that GitHub runs under these labels. */
const machines: Readonly<Record<string, string>> = {
  "ubuntu-24.04": "x86_64-unknown-linux-gnu",
  "ubuntu-24.04-arm": "aarch64-unknown-linux-gnu",
  "macos-15-intel": "x86_64-apple-darwin",
  "macos-15": "aarch64-apple-darwin",
  "windows-2025": "x86_64-pc-windows-msvc",
};

Deno.test("a release is built and tested on a machine of each platform's own", () => {
  const wanted = targets.map(({ name, triple }) => [name, triple]);
  for (const job of ["build", "test"]) {
    const include = release.jobs[job]?.strategy?.matrix.include ?? [];
    assert.deepEqual(include.map(({ os, target }) => [target, machines[os]]), wanted, job);
  }
  assert.equal(release.jobs.test?.needs, "build");
  assert.equal(release.jobs.publish?.needs, "test");
});

Deno.test("the platforms are those that users of other proxies download for, and each archive has its name", () => {
  assert.deepEqual(targets.map(({ name, exe }) => `mcp-doorman-${name}${exe === "" ? ".tar.gz" : ".zip"}`), [
    "mcp-doorman-linux-x64.tar.gz",
    "mcp-doorman-linux-arm64.tar.gz",
    "mcp-doorman-macos-intel.tar.gz",
    "mcp-doorman-macos-arm.tar.gz",
    "mcp-doorman-windows-x64.zip",
  ]);
});

Deno.test("an executable is signed before it is packed, and what is tested is what was packed", () => {
  const steps = release.jobs.build?.steps ?? [];
  const at = (pattern: RegExp) => steps.findIndex(({ run = "", uses = "" }) => pattern.test(run + uses));
  const order = [/task compile --target/, /sign-macos/, /sign-windows/, /pack\.ts/, /upload-artifact/].map(
    at,
  );
  assert.ok(order.every((index) => index >= 0), String(order));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  const test = (release.jobs.test?.steps ?? []).map(({ run = "", uses = "" }) => run + uses).join("\n");
  assert.match(test, /download-artifact/);
  assert.match(test, /MCP_DOORMAN_BIN=\$binary[\s\S]*task test tests\/e2e\//);
});

Deno.test("the image is for both architectures, and its tags have no v", () => {
  const steps = release.jobs.publish?.steps ?? [];
  const image = steps.find(({ uses }) => uses?.startsWith("docker/build-push-action@"))?.with ?? {};
  assert.equal(image.platforms, "linux/amd64,linux/arm64");
  assert.equal(image.provenance, "mode=max");
  assert.equal(String(image.sbom), "true");
  const tags = steps.find(({ uses }) => uses?.startsWith("docker/metadata-action@"))?.with?.tags ?? "";
  const lines = tags.trim().split("\n");
  assert.ok(lines.every((line) => /^type=semver,pattern=\{\{|^type=raw,value=latest$/.test(line)), tags);
});

Deno.test("what runs in a workflow is named by the commit that was looked at", async () => {
  for (const name of ["ci", "release"]) {
    const used = Object.values((await workflow(name)).jobs).flatMap(({ steps }) =>
      steps.flatMap(({ uses }) => uses ?? [])
    );
    assert.ok(used.length > 0);
    for (const uses of used) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, name);
  }
});
