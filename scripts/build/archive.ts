import { createHash } from "node:crypto";
import { basename } from "node:path";
import { deflateRawSync } from "node:zlib";
import { zip } from "./zip.ts";
import { ScriptError } from "../ending.ts";

/** A platform that executables are made for. */
export interface Target {
  /** As in the archive's name. */
  readonly name: string;
  /** As `deno compile --target` calls it. */
  readonly triple: string;
  readonly exe: "" | ".exe";
}

export const targets: readonly Target[] = [
  { name: "linux-x64", triple: "x86_64-unknown-linux-gnu", exe: "" },
  { name: "linux-arm64", triple: "aarch64-unknown-linux-gnu", exe: "" },
  { name: "macos-intel", triple: "x86_64-apple-darwin", exe: "" },
  { name: "macos-arm", triple: "aarch64-apple-darwin", exe: "" },
  { name: "windows-x64", triple: "x86_64-pc-windows-msvc", exe: ".exe" },
];

/** Packs an executable, the licence and the README; returns the archive's path, `stem` with its ending. */
export async function archive(executable: string, stem: string, target: Target): Promise<string> {
  const extras = ["LICENSE", "README.md"];
  const folder = executable.slice(0, executable.length - basename(executable).length);
  for (const extra of extras) await Deno.copyFile(extra, folder + extra);
  const names = [basename(executable), ...extras];
  if (target.exe === ".exe") {
    const files = [];
    for (const name of names) files.push({ name, bytes: await Deno.readFile(folder + name) });
    await Deno.writeFile(`${stem}.zip`, zip(files, (bytes) => deflateRawSync(bytes, { level: 9 })));
    return `${stem}.zip`;
  }
  const { success } = await new Deno.Command("tar", {
    args: ["--owner=0", "--group=0", "--numeric-owner", "-czf", `${stem}.tar.gz`, "-C", folder, ...names],
  }).output();
  if (!success) throw new ScriptError(`Cannot pack ${stem}.tar.gz`);
  return `${stem}.tar.gz`;
}

/** Writes `SHA256SUMS` in the form that `sha256sum -c` reads. */
export async function writeChecksums(folder: string, paths: readonly string[]): Promise<void> {
  let text = "";
  for (const path of paths) {
    const hash = createHash("sha256").update(await Deno.readFile(path)).digest("hex");
    text += `${hash}  ${basename(path)}\n`;
  }
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, text);
}
