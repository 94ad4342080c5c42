/** What the README shows, as it is to be tried. */

/** A code block. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** A command of a session with the output that is shown for it. */
export interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

/** All code blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .map(([, language = "", text = ""]) => ({ language, text }));
}

/** The commands of a shell block: continued lines joined, comments dropped. */
export function commandsOf(text: string): string[] {
  return text.replaceAll(/\\\n\s*/g, "").split("\n")
    .map((line) => line.replace(/(^|\s)# .*$/, "").trim())
    .filter((line) => line !== "");
}

/** The steps of a `console` block: `$ command`, its continued lines, and what comes out. */
export function stepsOf(text: string): Step[] {
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of text.replaceAll(/\\\n\s*/g, "").trimEnd().split("\n")) {
    if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2).replace(/\s# .*$/, "").trim(), shown: [] });
    } else steps.at(-1)?.shown.push(line);
  }
  return steps;
}

/**
 * The shown lines that did not come out, in order: `…` in a line stands for anything, a line of it for any lines, and
 * what comes after the last shown line does not matter only if that is `…`.
 */
export function notShown(shown: readonly string[], output: string): string[] {
  const lines = output.replaceAll("\r", "").trimEnd().split("\n");
  let at = 0;
  let skipping = false;
  for (const line of shown) {
    if (line.trim() === "…") {
      skipping = true;
      continue;
    }
    const pattern = new RegExp(
      `^${line.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`,
    );
    const found = lines.findIndex((candidate, index) => index >= at && pattern.test(candidate));
    if (found === -1 || (!skipping && found !== at)) return [line];
    at = found + 1;
    skipping = false;
  }
  return skipping || at >= lines.length ? [] : [`(nothing more) but: ${lines[at]}`];
}
