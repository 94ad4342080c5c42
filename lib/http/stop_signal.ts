/** The signals that ask the program to stop. */
export interface StopSignal extends Disposable {
  /** Resolves with the name of the first one. */
  readonly first: Promise<string>;
  /** Resolves when there is another. */
  readonly second: Promise<string>;
}

/** Listens for SIGTERM and SIGINT (on Windows SIGBREAK and SIGINT). */
export function stopSignal(): StopSignal {
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const waiting = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
  let count = 0;
  const handlers = names.map((name) => () => waiting[Math.min(count++, 1) as 0 | 1].resolve(name));
  names.forEach((name, at) => Deno.addSignalListener(name, handlers[at] ?? (() => {})));
  return {
    first: waiting[0].promise,
    second: waiting[1].promise,
    [Symbol.dispose]() {
      names.forEach((name, at) => Deno.removeSignalListener(name, handlers[at] ?? (() => {})));
    },
  };
}
