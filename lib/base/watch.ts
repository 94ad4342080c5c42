/**
 * One timer for many waits. Most of what is watched is over within milliseconds, so that a timer of its own for each
 * would cost more than the wait; here entering and leaving is a set operation, and the timer only runs while somebody
 * is inside.
 */

/** Something that is looked at now and then while it waits. */
export interface Watched {
  /** Called about every `everyMs` with the time since the first look, in milliseconds. */
  look(ageMs: number): void;
  /** When it was first looked at; set by the watch. */
  sinceMs?: number;
}

/** Looks at everything inside every `everyMs` milliseconds. */
export class Watch<T extends Watched = Watched> {
  readonly #inside = new Set<T>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly everyMs: number) {}

  get size(): number {
    return this.#inside.size;
  }

  /** What is inside, in the order that it came. */
  get inside(): Iterable<T> {
    return this.#inside;
  }

  enter(watched: T): void {
    this.#inside.add(watched);
    this.#timer ??= setInterval(() => this.#look(), this.everyMs);
  }

  leave(watched: T): void {
    this.#inside.delete(watched);
  }

  /** Stops looking; what is inside is forgotten. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#inside.clear();
  }

  #look(): void {
    if (this.#inside.size === 0) return this.close();
    const now = performance.now();
    for (const watched of this.#inside) watched.look(now - (watched.sinceMs ??= now));
  }
}
