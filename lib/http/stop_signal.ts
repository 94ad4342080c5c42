/** The signals that ask the program to stop. */
export interface StopSignal extends Disposable {
  /** Resolves with the name of the first one. */
  readonly first: Promise<string>;
  /** Resolves when somebody insists. */
  readonly second: Promise<string>;
}

/**
 * How long further signals mean the same as the first. A terminal sends Ctrl-C to the whole group, and a parent in it
 * (npx, a script) passes on what it got itself; nobody insists within so short a time.
 */
const sameWishMs = 1_000;

/** Listens for SIGTERM and SIGINT (on Windows SIGBREAK and SIGINT). */
export function stopSignal(): StopSignal {
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  const handlers = names.map((name) => () => {
    firstAt ??= performance.now();
    first.resolve(name);
    if (performance.now() - firstAt >= sameWishMs) second.resolve(name);
  });
  names.forEach((name, at) => Deno.addSignalListener(name, handlers[at] ?? (() => {})));
  return {
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]() {
      names.forEach((name, at) => Deno.removeSignalListener(name, handlers[at] ?? (() => {})));
    },
  };
}
