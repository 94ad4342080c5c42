import { failure } from "./failures.ts";

/** Names longer than this are cut, so that URLs and pages stay short. */
const maxLength = 100;

/** Never part of a name that somebody means. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Direction, zero-width, private and unassigned characters, which could make a name look like another. */
const invisible = /[\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu;

/** The name that a client gives itself, as it is shown. @throws OAuthError `invalid_client_metadata` */
export function clientName(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (new TextEncoder().encode(given).length > 512 || control.test(given)) {
    throw failure("client_name_invalid");
  }
  const characters = [...given.replaceAll(invisible, "").trim()];
  if (characters.length === 0) return undefined;
  return characters.length > maxLength
    ? `${characters.slice(0, maxLength).join("")}...`
    : characters.join("");
}
