import { failure } from "./failures.ts";

/** Names longer than this are cut, so that URLs and pages stay short. */
const maxLength = 100;

/** Control, direction and zero-width characters could make a name look like another on the consent page. */
const deceptive = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}]/u;

/** The name that a client gives itself, as it is shown. @throws OAuthError `invalid_client_metadata` */
export function clientName(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (new TextEncoder().encode(given).length > 512 || deceptive.test(given)) {
    throw failure("client_name_invalid");
  }
  const characters = [...given.trim()];
  if (characters.length === 0) return undefined;
  return characters.length > maxLength
    ? `${characters.slice(0, maxLength).join("")}...`
    : characters.join("");
}
