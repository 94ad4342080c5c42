import type { Reading } from "./reading.ts";

/** The folder of this program below the user's cache or state folder, by the customs of the system; no version in it. */
export function userFolder(
  kind: "cache" | "state",
  reading: Pick<Reading, "variable">,
  os: typeof Deno.build.os = Deno.build.os,
): string | undefined {
  const given = (name: string) => reading.variable(name) || undefined;
  if (os === "windows") {
    const base = given("LOCALAPPDATA") ?? suffixed(given("USERPROFILE"), "\\AppData\\Local");
    return suffixed(base, kind === "cache" ? "\\mcp-doorman" : "\\mcp-doorman\\state");
  }
  const xdg = given(kind === "cache" ? "XDG_CACHE_HOME" : "XDG_STATE_HOME");
  // The XDG base directory specification: a relative path is invalid and ignored.
  if (xdg?.startsWith("/") === true) return `${xdg}/mcp-doorman`;
  return suffixed(given("HOME"), kind === "cache" ? "/.cache/mcp-doorman" : "/.local/state/mcp-doorman");
}

function suffixed(base: string | undefined, suffix: string): string | undefined {
  return base === undefined ? undefined : base.replace(/[/\\]+$/, "") + suffix;
}
