/**
 * What comes and goes thousands of times a second, kept in a list. A Set or a Map that is filled and emptied all the
 * time leaves dead tables behind, each of which holds on to the next one and to all that was in it until the engine
 * searches the whole heap; under load it did so twice a second, for 20 ms, and a call in a hundred waited for that.
 */

/** Something that is in one crowd at a time. */
export interface Member {
  /** Its place in the list; set by the crowd. */
  at?: number;
}

/** Its members, in no order. */
export class Crowd<T extends Member> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  has(member: T): boolean {
    return this.#members[member.at ?? -1] === member;
  }

  /** Does nothing for one that is inside. */
  enter(member: T): void {
    if (!this.has(member)) member.at = this.#members.push(member) - 1;
  }

  /** Does nothing for one that is not inside. */
  leave(member: T): void {
    const { at = -1 } = member;
    if (this.#members[at] !== member) return;
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[at] = last;
      last.at = at;
    }
    member.at = -1;
  }

  clear(): void {
    this.#members.length = 0;
  }

  /** Those that are inside now, and still inside when it is their turn. */
  *[Symbol.iterator](): Iterator<T> {
    for (const member of [...this.#members]) if (this.has(member)) yield member;
  }
}
