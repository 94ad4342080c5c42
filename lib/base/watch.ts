/**
 * One timer for many waits. Most of what is watched is over within milliseconds, so that a timer of its own for each
 * would cost more than the wait; here entering and leaving is a step in a list, and the timer only runs while somebody
 * is inside.
 */
import { Crowd, type Member } from "./crowd.ts";

/** Something that is looked at now and then while it waits; in one watch at a time. */
export interface Watched extends Member {
  /** Called about every `everyMs` with the time since the first look, in milliseconds. */
  look(ageMs: number): void;
  /** When it was first looked at; set by the watch. */
  sinceMs?: number;
}

/** Looks at everything inside every `everyMs` milliseconds. */
export class Watch<T extends Watched = Watched> {
  readonly #inside = new Crowd<T>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly everyMs: number) {}

  /** What is inside, in no order. */
  get inside(): Iterable<T> {
    return this.#inside;
  }

  get size(): number {
    return this.#inside.size;
  }

  enter(watched: T): void {
    this.#inside.enter(watched);
    this.#timer ??= setInterval(() => this.#look(), this.everyMs);
  }

  /** Does nothing for what is not inside. */
  leave(watched: T): void {
    this.#inside.leave(watched);
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
