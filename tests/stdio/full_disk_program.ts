/** Writes one value into the cache in the folder named by its argument, and says what came of it. */
import { silentLog } from "../../lib/base/log.ts";
import { UserError } from "../../lib/base/errors.ts";
import { tokenCache } from "../../lib/stdio/token_cache.ts";

try {
  const failure = { atMs: 1, message: "x".repeat(40_000) };
  await tokenCache(Deno.args[0] ?? "", silentLog).use((access) => access.putFailure("k", failure));
  console.log("written");
} catch (error) {
  console.log(error instanceof UserError ? `${error.message} | ${error.hint}` : `unexplained: ${error}`);
}
