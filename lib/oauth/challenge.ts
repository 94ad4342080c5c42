/** The `WWW-Authenticate` header (RFC 9110 section 11.6.1, RFC 6750 section 3): writing ours, reading theirs. */

/** One challenge; parameter names are lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * A `Bearer` challenge with its parameters in the given order, as quoted strings. What cannot stand in a header
 * (control characters, non-ASCII) is left out of the values.
 */
export function bearerChallenge(params: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(params)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) =>
      `${name}="${value.replaceAll(/[^\x20-\x7e]/g, "").replaceAll(/[\\"]/g, (quoted) => `\\${quoted}`)}"`
    );
  return parts.length === 0 ? "Bearer" : `Bearer ${parts.join(", ")}`;
}

const maxHeaderLength = 16_384;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;

/** All challenges of a header, tolerant of what servers send; never throws. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  let rest = header.slice(0, maxHeaderLength);
  const skip = (pattern: RegExp) => {
    const found = pattern.exec(rest)?.[0] ?? "";
    rest = rest.slice(found.length);
    return found;
  };
  while (rest !== "") {
    skip(/^[\s,]+/);
    const name = skip(token);
    if (name === "") {
      // Not a name: whatever it is, go on after it.
      skip(/^[^\s,]+/);
      continue;
    }
    const equals = skip(/^\s*=(?!=)\s*/);
    if (equals === "") {
      challenges.push({ scheme: name.toLowerCase(), params: Object.create(null) });
      // A token68 credential after the scheme has no name; it is passed over.
      if (/^ +[A-Za-z0-9\-._~+/]+=*\s*(,|$)/.test(rest)) skip(/^ +[A-Za-z0-9\-._~+/]+=*/);
      continue;
    }
    const value = rest.startsWith('"') ? quoted(skip(/^"(?:[^"\\]|\\.)*"?/s)) : skip(/^[^\s,]*/);
    const params = challenges.at(-1)?.params;
    const key = name.toLowerCase();
    // The first of a repeated parameter counts.
    if (params !== undefined && !(key in params)) params[key] = value;
  }
  return challenges;
}

/** The `Bearer` challenge of a header, if it has one. */
export function findBearerChallenge(header: string | null): Challenge | undefined {
  return header === null
    ? undefined
    : parseChallenges(header).find((challenge) => challenge.scheme === "bearer");
}

function quoted(text: string): string {
  const [, inside = ""] = /^"((?:[^"\\]|\\.)*)/s.exec(text) ?? [];
  return inside.replaceAll(/\\(.)/gs, "$1");
}
