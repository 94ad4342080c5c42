/**
 * Makes the npm packages from the archives of a release: `npm.ts <dist> <out>`. One package for each platform carries
 * its executable and nothing else; `mcp-doorman` depends on them optionally and starts the one that was installed, so
 * that nothing is fetched or run at installation.
 */
import { targets } from "../build/archive.ts";
import { project, version } from "../../lib/base/version.ts";
import { run } from "../run.ts";

/** npm's words for our targets. */
const platforms: Readonly<Record<string, { os: string; cpu: string; libc?: string[] }>> = {
  "linux-x64": { os: "linux", cpu: "x64", libc: ["glibc"] },
  "linux-arm64": { os: "linux", cpu: "arm64", libc: ["glibc"] },
  "macos-intel": { os: "darwin", cpu: "x64" },
  "macos-arm": { os: "darwin", cpu: "arm64" },
  "windows-x64": { os: "win32", cpu: "x64" },
};

const launcher = `#!/usr/bin/env node
"use strict";
const { spawn } = require("node:child_process");
const path = require("node:path");
const targets = ${
  JSON.stringify(
    Object.fromEntries(Object.entries(platforms).map(([name, { os, cpu }]) => [`${os} ${cpu}`, name])),
  )
};
const target = targets[process.platform + " " + process.arch];
const exe = process.platform === "win32" ? ".exe" : "";
let program;
try {
  const manifest = require.resolve("${project.npm}-" + target + "/package.json");
  program = path.join(path.dirname(manifest), "mcp-doorman" + exe);
} catch {
  console.error("mcp-doorman: Cannot start: there is no executable for " + process.platform + " " + process.arch);
  console.error("Install without --omit=optional, or download it from ${project.url}/releases");
  process.exit(1);
}
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error("mcp-doorman: Cannot start " + program + ": " + error.message);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
`;

const about = {
  version,
  description: "OAuth front for any MCP server, login for any MCP client",
  license: "MIT",
  repository: { type: "git", url: `git+${project.url}.git` },
};

async function writeManifest(folder: string, manifest: Record<string, unknown>): Promise<void> {
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ ...manifest, ...about }, null, 2) + "\n",
  );
}

const [dist = "dist", out = "npm"] = Deno.args;
const optionalDependencies: Record<string, string> = {};
for (const target of targets) {
  const archive = `${dist}/mcp-doorman-${target.name}.${target.exe === "" ? "tar.gz" : "zip"}`;
  if (!await Deno.stat(archive).then(() => true, () => false)) continue;
  const folder = `${out}/platforms/${target.name}`;
  await Deno.mkdir(folder, { recursive: true });
  const unpacked = target.exe === ""
    ? await run("tar", ["-xzf", archive, "-C", folder])
    : await run("unzip", ["-qo", archive, "-d", folder]);
  if (unpacked !== 0) throw new Error(`Cannot unpack ${archive}`);
  const name = `${project.npm}-${target.name}`;
  const { os, cpu, libc } = platforms[target.name] ?? { os: "", cpu: "" };
  await writeManifest(folder, {
    name,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc }),
    files: [`mcp-doorman${target.exe}`],
    preferUnplugged: true,
  });
  optionalDependencies[name] = version;
}
const main = `${out}/mcp-doorman`;
await Deno.mkdir(main, { recursive: true });
await Deno.writeTextFile(`${main}/mcp-doorman.js`, launcher);
for (const file of ["README.md", "LICENSE"]) await Deno.copyFile(file, `${main}/${file}`);
await writeManifest(main, {
  name: project.npm,
  bin: { "mcp-doorman": "mcp-doorman.js" },
  files: ["mcp-doorman.js"],
  engines: { node: ">=18" },
  optionalDependencies,
});
console.log(`${Object.keys(optionalDependencies).length} platforms in ${out}`);
