/**
 * Lines of which there may be thousands a second: written together, at the latest after a tenth of a second, since one
 * write for each would cost more than the request that it tells about.
 */
const flushAfterMs = 100;
const flushAtChars = 32_768;

/** Lines that wait to be written. */
export class GatheredLines {
  #held = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly write: (text: string) => void) {
    globalThis.addEventListener("unload", () => this.flush());
  }

  /** Adds a line, given without its line feed. */
  add(line: string): void {
    this.#held += line + "\n";
    if (this.#held.length >= flushAtChars) return this.flush();
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flush(), flushAfterMs);
      Deno.unrefTimer(this.#timer);
    }
  }

  /** Writes what is held; before any other line, so that the order stays. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#held;
    this.#held = "";
    if (text !== "") this.write(text);
  }
}
