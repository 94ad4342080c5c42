/** What this build is; the build script puts `mcpDoormanBuild` in front of the program, a run from source has none. */
interface Build {
  readonly version: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  /** Who built it, such as `github-actions`; empty for a run from source. */
  readonly builder: string;
}

const stamped = (globalThis as { mcpDoormanBuild?: Build }).mcpDoormanBuild;

export const build: Build = stamped ?? {
  version: "0.1.0",
  commit: "source",
  date: "",
  builder: "",
};

/** What it runs on. It is asked at run time: the Deno that bundled a build need not be the one inside it. */
export const runtime = `deno ${Deno.version.deno}`;

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
  const parts = [commit, date, builder === "" ? "" : `built by ${builder}`, runtime];
  return `${programName} ${version} (${parts.filter((part) => part !== "").join(", ")}) ${projectUrl}`;
}
