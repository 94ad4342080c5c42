import type { Labels } from "./counters.ts";

/** Bounds in seconds that tell a fast answer from a slow one, from a millisecond to ten seconds. */
const boundsSec: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long something took: how many took at most so long, and all together. */
export class Distribution {
  readonly boundsSec = boundsSec;
  /** One for each bound, and one for what took longer than all of them. Not cumulative. */
  readonly counts: number[] = new Array(boundsSec.length + 1).fill(0);
  sumSec = 0;

  constructor(readonly name: string, readonly labels: Labels) {}

  observe(seconds: number): void {
    let at = 0;
    while (at < boundsSec.length && seconds > (boundsSec[at] ?? Infinity)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumSec += seconds;
  }
}
