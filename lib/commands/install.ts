/**
 * `install <client>`: writes one entry into a client's file and leaves all else in it as it is.
 *
 *     client's name -> its file -> text -> entry set or removed -> the difference shown -> copy kept -> file replaced
 */
import { ConfigError, UserError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { configOf } from "../config/config.ts";
import type { Reading } from "../config/reading.ts";
import { readSettings } from "../config/settings.ts";
import type { Invocation } from "./command.ts";
import { type Client, clientAliases, clients, type Machine, type ServerEntry } from "./install/clients.ts";
import { diffLines, masked } from "./install/diff.ts";
import { editJsonc } from "./install/edit_jsonc.ts";
import { editToml } from "./install/edit_toml.ts";
import { folderOf, readClientFile, writeClientFile } from "./install/file.ts";
import { defaultName, serverEntry, thisProgram } from "./install/server.ts";
import { installFlags } from "./install_flags.ts";

/** Writes, prints or removes the entry. */
export async function run({ argv, from }: Invocation): Promise<number> {
  const machine: Machine = { os: Deno.build.os, env: from.env, cwd: Deno.cwd() };
  const [asked, ...rest] = argv;
  if (asked === undefined || asked.startsWith("-")) {
    console.log(overview(machine));
    return asked === undefined ? 0 : 2;
  }
  const client = clientNamed(asked);
  const reading = readSettings(rest, from, { ownFlags: installFlags });
  if (reading.own.remove === true && reading.problems.length > 0) throw new ConfigError(reading.problems);
  return reading.own.remove === true
    ? await remove(client, machine, reading)
    : await install(client, machine, reading);
}

async function install(client: Client, machine: Machine, reading: Reading): Promise<number> {
  if (reading.mode === "stdio") configOf(reading);
  else if (reading.problems.length > 0) throw new ConfigError(reading.problems);
  const server = serverEntry(reading, thisProgram(), machine.cwd);
  const name = entryName(reading, server);
  const entry = client.entry(server);
  if (entry === undefined) {
    console.log(`${client.title} takes the address of a connector in its settings only.`);
    console.log(`${client.clicks}: ${server.kind === "http" ? server.url : ""}`);
    return 0;
  }
  if (reading.own.print === true) {
    console.log(edit(client, "", name, entry, "the entry").trimEnd());
    return 0;
  }
  const file = fileOf(client, machine, reading);
  const changed = await change(client, file, name, entry);
  console.log(changed ? `${client.after}.` : `${client.title} has this entry already: ${file}`);
  return 0;
}

async function remove(client: Client, machine: Machine, reading: Reading): Promise<number> {
  const name = typeof reading.own.name === "string" ? reading.own.name : undefined;
  const url = reading.values.upstreamUrl;
  if (name === undefined && url === undefined) {
    throw new UserError("Cannot remove an entry without its name: give --name, or the URL it was made with", {
      exitCode: 2,
    });
  }
  const file = fileOf(client, machine, reading);
  const entry = name ?? entryName(reading, { kind: "http", url: "" });
  const changed = await change(client, file, entry, undefined);
  console.log(changed ? `${client.after}.` : `${client.title} has no entry "${entry}": ${file}`);
  return 0;
}

/** Changes the file, if there is something to change, and says what. */
async function change(
  client: Client,
  file: string,
  name: string,
  entry: unknown,
): Promise<boolean> {
  const before = await readClientFile(file);
  const after = edit(client, before, name, entry, file);
  if (after === before) return false;
  const backup = await writeClientFile(file, before, after);
  console.log(`${file}:`);
  for (const line of diffLines(before, after)) console.log(masked(line));
  if (backup !== undefined) console.log(`The file as it was: ${backup}`);
  return true;
}

function edit(client: Client, text: string, name: string, entry: unknown, file: string): string {
  const change = client.format === "toml" ? editToml : editJsonc;
  return change(text, client.section, name, entry, file);
}

function entryName(reading: Reading, server: ServerEntry): string {
  const given = reading.own.name;
  const name = typeof given === "string"
    ? given
    : defaultName(server, reading.values.upstreamUrl ?? new URL("http://x"));
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new UserError(`Cannot use "${name}" as the entry's name: expected letters, digits, - and _`, {
      exitCode: 2,
    });
  }
  return name;
}

function fileOf(client: Client, machine: Machine, { own }: Reading): string {
  if (typeof own["config-file"] === "string") return own["config-file"];
  if (own.project === true) {
    if (client.projectFile !== undefined) return `${machine.cwd}/${client.projectFile}`;
    throw new UserError(`Cannot write into a project: ${client.title} has no such file`, { exitCode: 2 });
  }
  const file = client.userFile(machine);
  if (file === undefined) throw new UserError("Cannot find a home folder: set HOME, or give --config-file");
  if (!exists(folderOf(file))) {
    throw new UserError(`Cannot find ${client.title} here: ${folderOf(file)} is not there`, {
      hint: "Start it once, or name its file with --config-file.",
    });
  }
  return file;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function clientNamed(asked: string): Client {
  const name = asked.toLowerCase();
  const client = clients[clientAliases[name] ?? name];
  if (client !== undefined) return client;
  const near = nearest(name, Object.keys(clients));
  throw new UserError(
    `Cannot install into "${asked}": one of ${Object.keys(clients).join(", ")} is expected`,
    {
      exitCode: 2,
      ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
    },
  );
}

function overview(machine: Machine): string {
  const rows = Object.entries(clients).map(([name, client]) =>
    `  ${name.padEnd(16)}${client.title.padEnd(16)}${client.userFile(machine) ?? ""}`
  );
  return ["mcp-doorman install <client> [options] <upstream-url>", "", ...rows].join("\n");
}
