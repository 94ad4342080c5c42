/**
 * The compiled program is given what all modes together need. Each mode gives back what it will not use before it
 * talks to anybody, so that a hole in it opens less.
 */
const kinds = ["net", "read", "write", "env", "run", "sys", "ffi"] as const;

/**
 * Gives back foreign libraries, and starting programs unless it is kept; what was never given is no error. `sys` stays:
 * whose a secret's file is, is asked of it.
 */
export function giveBack(options: { readonly keepRun: boolean }): void {
  Deno.permissions.revokeSync({ name: "ffi" });
  if (!options.keepRun) Deno.permissions.revokeSync({ name: "run" });
}

/** The kinds that are left, between spaces. */
export function keptPermissions(): string {
  return kinds.filter((name) => Deno.permissions.querySync({ name }).state === "granted").join(" ");
}
