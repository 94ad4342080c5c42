/**
 * The compiled program is given what all modes together need. Each mode gives back what it will not use before it
 * talks to anybody, so that a hole in it opens less.
 */
const kinds = ["run", "ffi"] as const;

/** Gives back everything of `kinds` that is not kept. What was never given is no error. */
export function giveBack(options: { readonly keepRun: boolean }): void {
  for (const name of kinds) {
    if (name === "run" && options.keepRun) continue;
    Deno.permissions.revokeSync({ name });
  }
}
