/**
 * One timer for many waits. Most of what is watched is over within milliseconds, so that a timer of its own for each
 * would cost more than the wait; here entering and leaving is a step in a list, and the timer only runs while somebody
 * is inside.
 *
 * The list is no Set: of one that is filled and emptied all the time the engine leaves dead tables behind, each of which
 * holds on to the next one and to all that was in it until the whole heap is searched. Under load that happened twice a
 * second, and was what a call in a hundred waited for.
 */

/** Something that is looked at now and then while it waits; in one watch at a time. */
export interface Watched {
  /** Called about every `everyMs` with the time since the first look, in milliseconds. */
  look(ageMs: number): void;
  /** When it was first looked at; set by the watch. */
  sinceMs?: number;
  /** Its place in the list; set by the watch. */
  at?: number;
}

/** Looks at everything inside every `everyMs` milliseconds. */
export class Watch<T extends Watched = Watched> {
  readonly #inside: T[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly everyMs: number) {}

  /** What is inside, in no order. */
  get inside(): Iterable<T> {
    return this.#inside;
  }

  enter(watched: T): void {
    watched.at = this.#inside.push(watched) - 1;
    this.#timer ??= setInterval(() => this.#look(), this.everyMs);
  }

  /** Does nothing for what is not inside. */
  leave(watched: T): void {
    const { at = -1 } = watched;
    if (this.#inside[at] !== watched) return;
    const last = this.#inside.pop();
    if (last !== undefined && last !== watched) {
      this.#inside[at] = last;
      last.at = at;
    }
    watched.at = -1;
  }

  /** Stops looking; what is inside is forgotten. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#inside.length = 0;
  }

  #look(): void {
    if (this.#inside.length === 0) return this.close();
    const now = performance.now();
    // Whoever is looked at may leave, and take others along.
    for (const watched of [...this.#inside]) {
      if (this.#inside[watched.at ?? -1] === watched) watched.look(now - (watched.sinceMs ??= now));
    }
  }
}
