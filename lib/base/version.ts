/**
 * What this program is and where it comes from. A build replaces the values of `build`; everything that names the
 * project's owner or its registries is in `project`, so that it can be changed in one place.
 */

/** The version of the source. */
export const version = "0.1.0";

/** Stamped by the build. */
export const build = {
  commit: "unknown",
  date: "unknown",
  builder: "source",
};

/** Where the project lives. */
export const project = {
  name: "mcp-doorman",
  owner: "mcp-doorman",
  url: "https://github.com/mcp-doorman/mcp-doorman",
  image: "ghcr.io/mcp-doorman/mcp-doorman",
  npm: "mcp-doorman",
};

/** What `--version` prints. */
export function versionText(): string {
  return `${project.name} ${version}\ncommit ${build.commit}, built ${build.date} by ${build.builder}\n${project.url}`;
}
