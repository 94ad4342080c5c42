/** What this build is; the build script puts `mcpDoormanBuild` in front of the program, a run from source has none. */
interface Build {
  readonly version: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  /** What built it, such as `deno 2.9.6`. */
  readonly builder: string;
}

const stamped = (globalThis as { mcpDoormanBuild?: Build }).mcpDoormanBuild;

export const build: Build = stamped ?? {
  version: "0.1.0",
  commit: "source",
  date: "",
  builder: `deno ${Deno.version.deno}`,
};

/** The version alone. */
export const version = build.version;

/** Where the project lives: the one place that names its owner and its registries. */
export const project = {
  /** The program's name, as in `serverInfo`, user agents and folders. */
  name: "mcp-doorman",
  url: "https://github.com/mcp-doorman/mcp-doorman",
  image: "ghcr.io/mcp-doorman/mcp-doorman",
  npm: "mcp-doorman",
};

/** The program's name, as in `serverInfo`, user agents and folders. */
export const programName = project.name;

/** Where the project lives. */
export const projectUrl = project.url;

/** The answer to `--version`: one line. */
export function versionLine(): string {
  const { version, commit, date, builder } = build;
  return `${programName} ${version} (${
    [commit, date, builder].filter((part) => part !== "").join(", ")
  }) ${projectUrl}`;
}
