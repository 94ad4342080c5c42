/** Credentials that never change: the headers of `--header`, or none at all. */
import type { Credentials } from "./credentials.ts";

/** Always the same headers; a refusal cannot be cured. */
export function staticHeaders(list: readonly (readonly [name: string, value: string])[]): Credentials {
  const headers = { list };
  return {
    headers: () => Promise.resolve(headers),
    now: () => headers,
    renew: () => Promise.resolve(false),
    status: () => ({ state: "ready" }),
    changed: (signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
