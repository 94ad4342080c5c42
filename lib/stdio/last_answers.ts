/** How an upstream last introduced itself, kept on disk: what the host is told while the upstream cannot be asked. */
import { sha256Text } from "../base/bytes.ts";
import { describeError } from "../base/errors.ts";
import { openPrivateDir, readPrivateFile, writePrivateFile } from "../base/files.ts";
import type { Logger } from "../base/log.ts";

/** By method, the result as JSON text. */
export interface LastAnswers {
  get(method: string): Promise<Record<string, unknown> | undefined>;
  put(method: string, result: unknown): Promise<void>;
}

/** The answers of one upstream for one profile. Trouble with the file costs the memory and nothing else. */
export function lastAnswers(
  place: { readonly cacheDir: string; readonly upstreamUrl: URL; readonly profile: string },
  log: Logger,
): LastAnswers {
  const file = async () => {
    const key = await sha256Text(`${place.upstreamUrl.href}\n${place.profile}`);
    return `${place.cacheDir}/answers-${key}.json`;
  };
  const read = async (): Promise<Record<string, Record<string, unknown>>> => {
    const text = readPrivateFile(await file());
    const known = text === undefined ? {} : JSON.parse(text);
    return known !== null && typeof known === "object" ? known : {};
  };
  return {
    async get(method) {
      try {
        const result = (await read())[method];
        return result !== null && typeof result === "object" ? result : undefined;
      } catch (error) {
        log.debug("last_answer_unread", { cause: describeError(error) });
        return undefined;
      }
    },
    async put(method, result) {
      try {
        const known = await read().catch(() => ({}));
        const text = JSON.stringify({ ...known, [method]: result });
        if (text === JSON.stringify(known)) return;
        openPrivateDir(place.cacheDir);
        writePrivateFile(await file(), text);
      } catch (error) {
        log.debug("last_answer_unwritten", { cause: describeError(error) });
      }
    },
  };
}
