/** Release notes from the subjects of the commits since the last tag, on stdout. */

/** The headings, by the kind of commit; other kinds are left out. */
const headings: Readonly<Record<string, string>> = {
  feat: "New",
  fix: "Fixed",
  perf: "Faster",
  docs: "Documents",
};

/** Markdown from commit subjects such as `feat(bridge): bind consent to the browser`. */
export function notes(subjects: readonly string[]): string {
  const parts = Object.entries(headings).map(([kind, heading]) => {
    const lines = subjects.flatMap((subject) => {
      const match = /^(\w+)(?:\(([^)]+)\))?!?: (.+)$/.exec(subject);
      if (match === null || match[1] !== kind) return [];
      return [`- ${match[2] === undefined ? "" : `**${match[2]}**: `}${match[3]}`];
    });
    return lines.length === 0 ? "" : `## ${heading}\n\n${lines.join("\n")}\n`;
  });
  return parts.filter((part) => part !== "").join("\n");
}

async function git(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
  return success ? new TextDecoder().decode(stdout).trim() : "";
}

if (import.meta.main) {
  const last = await git("describe", "--tags", "--abbrev=0", "HEAD^");
  const subjects = await git("log", "--format=%s", last === "" ? "HEAD" : `${last}..HEAD`);
  console.log(notes(subjects.split("\n")));
}
