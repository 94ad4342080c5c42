/**
 * The npm packages: one for each platform carries its executable and nothing else; `mcp-doorman` depends on them
 * optionally and starts the one that was installed, so that nothing is fetched or run at installation.
 */
import { project, version } from "../../lib/base/version.ts";
import type { Target } from "../build/archive.ts";

/** npm's words for our targets. */
const platforms: Readonly<Record<string, { os: string; cpu: string; libc?: string[] }>> = {
  "linux-x64": { os: "linux", cpu: "x64", libc: ["glibc"] },
  "linux-arm64": { os: "linux", cpu: "arm64", libc: ["glibc"] },
  "macos-intel": { os: "darwin", cpu: "x64" },
  "macos-arm": { os: "darwin", cpu: "arm64" },
  "windows-x64": { os: "win32", cpu: "x64" },
};

/** Starts the executable with this terminal, arguments, signals and exit code. */
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
  homepage: project.url,
  repository: { type: "git", url: `git+${project.url}.git` },
};

/** Writes the package of one platform, for an executable that is in `folder` already; returns its name. */
export async function writePlatformPackage(folder: string, target: Target): Promise<string> {
  const { os, cpu, libc } = platforms[target.name] ?? { os: "", cpu: "" };
  const name = `${project.npm}-${target.name}`;
  await writeManifest(folder, {
    name,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc }),
    files: [`mcp-doorman${target.exe}`],
    preferUnplugged: true,
  });
  return name;
}

/** Writes the package that people name, which brings one of those platforms' packages along. */
export async function writeMainPackage(folder: string, platformPackages: readonly string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/mcp-doorman.js`, launcher, { mode: 0o755 });
  for (const file of ["README.md", "LICENSE"]) {
    await Deno.copyFile(new URL(`../../${file}`, import.meta.url), `${folder}/${file}`);
  }
  await writeManifest(folder, {
    name: project.npm,
    bin: { "mcp-doorman": "mcp-doorman.js" },
    files: ["mcp-doorman.js"],
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(platformPackages.map((name) => [name, version])),
  });
}

async function writeManifest(folder: string, manifest: Record<string, unknown>): Promise<void> {
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ ...manifest, ...about }, null, 2) + "\n",
  );
}
