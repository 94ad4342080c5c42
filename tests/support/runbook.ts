/** A runbook of docs/runbooks/ whose commands a test runs; each has to be run. */
import assert from "node:assert/strict";

const folder = new URL("../../docs/runbooks/", import.meta.url);

/** The shell commands of one runbook, in the order of the page. */
export class Runbook {
  readonly #left: string[];

  constructor(readonly name: string) {
    const page = Deno.readTextFileSync(new URL(`${name}.md`, folder));
    this.#left = commandsOf(page);
    assert.ok(this.#left.length > 0, `${name} has no commands`);
    const fences = page.match(/^ *(```|~~~)/gm)?.length;
    assert.equal(fences, 2 * this.#left.length, `${name} has blocks that are not for a shell`);
  }

  /** The next commands; `about` is in them, so that a test cannot take others for them. */
  next(about: string): string {
    const commands = this.#left.shift() ?? "";
    assert.ok(commands.includes(about), `${this.name}: not about ${about}: ${commands}`);
    return commands;
  }

  /** The next commands are run by another test, which takes them from this page. */
  elsewhere(about: string, test: string): void {
    this.next(about);
    const text = Deno.readTextFileSync(new URL(`../../${test}`, import.meta.url));
    assert.ok(text.includes(`docs/runbooks/${this.name}.md`), `${test} does not read ${this.name}`);
  }

  /** @throws AssertionError while commands are left that were not run */
  finished(): void {
    assert.deepEqual(this.#left, [], `${this.name} has commands that no test runs`);
  }
}

/** All runbooks, by name. */
export function runbookNames(): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/\.md$/, "")).sort();
}

/** Fenced blocks for a shell, without the indentation of the list that they stand in. */
function commandsOf(page: string): string[] {
  return [...page.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent = "", text = ""]) =>
    text.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  );
}

const settings = new Runbook("README");
/** The variables that the commands use. */
export const variables = settings.next("CONF=");
/** Gives a command the server's settings, as docs/runbooks/README.md says. */
export const withSettings = settings.next("set -a");
settings.finished();
