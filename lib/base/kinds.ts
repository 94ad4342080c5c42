/**
 * How the text of a setting becomes a value. A kind throws an `Error` whose message is what was expected, as a phrase
 * that fits after "expected"; the reader adds the setting's name and, unless it is secret, what was found.
 */
import type { Kind } from "./setting.ts";

/** A kind from its placeholder and its parser. */
export function kind<T>(placeholder: string, parse: (text: string) => T): Kind<T> {
  return { placeholder, parse };
}

/** Any text, as it is. */
export const text: Kind<string> = kind("TEXT", (value) => value);

/** A file or folder name. */
export const path: Kind<string> = kind("PATH", (value) => {
  if (value.includes("\0")) throw new Error("a path");
  return value;
});

/** A private key in PEM; `\\n` for line breaks, as variables often have it, will do. */
export const pem: Kind<string> = kind("PEM", (value) => {
  const key = value.includes("\n") ? value : value.replaceAll("\\n", "\n");
  if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(key)) throw new Error("a private key in PEM (PKCS#8)");
  return key;
});

/** An http or https URL without user information. */
export const url: Kind<URL> = kind("URL", (value) => {
  const trimmed = value.trim();
  const parsed = /^https?:\/\//i.test(trimmed) && URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (parsed === undefined) throw new Error("an http:// or https:// URL");
  if (parsed.username !== "" || parsed.password !== "") {
    throw new Error("a URL without user name and password");
  }
  return parsed;
});

/** The URL of an http proxy; it may carry a user and a password. */
export const proxyUrl: Kind<URL> = kind("URL", (value) => {
  const trimmed = value.trim();
  const parsed = /^https?:\/\//i.test(trimmed) && URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (parsed === undefined) throw new Error("an http:// or https:// URL");
  return parsed;
});

/** A URL that is kept as it was typed, since issuers are compared character by character. */
export const issuer: Kind<string> = kind("URL", (value) => {
  const parsed = url.parse(value);
  if (parsed.search !== "" || parsed.hash !== "") throw new Error("a URL without query and fragment");
  return value.trim();
});

const trueWords = ["true", "1", "yes", "on"];
const falseWords = ["false", "0", "no", "off"];

/** `true/1/yes/on` or `false/0/no/off`, in any case. Its flag needs no value. */
export const bool: Kind<boolean> = kind("", (value) => {
  const word = value.trim().toLowerCase();
  if (trueWords.includes(word)) return true;
  if (falseWords.includes(word)) return false;
  throw new Error("true, 1, yes, on or false, 0, no, off");
});

/** A whole number within bounds. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  return kind("NUMBER", (value) => {
    const number = /^[+-]?\d{1,16}$/.test(value.trim()) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new Error(
      max === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${min}`
        : `a whole number from ${min} to ${max}`,
    );
  });
}

/** A TCP port; 0 lets the system choose. */
export const port: Kind<number> = { ...integer(0, 65_535), placeholder: "PORT" };

/** A number, not necessarily whole, of at least `min`. */
export function decimal(min: number): Kind<number> {
  return kind("NUMBER", (value) => {
    const number = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : NaN;
    if (number >= min && Number.isFinite(number)) return number;
    throw new Error(`a number of at least ${min}`);
  });
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  return kind(words.join("|"), (value) => {
    const found = words.find((word) => word === value.trim());
    if (found === undefined) throw new Error(`one of ${words.join(", ")}`);
    return found;
  });
}

function splitList(value: string, by: RegExp): readonly string[] {
  return [...new Set(value.split(by).map((entry) => entry.trim()).filter((entry) => entry !== ""))];
}

/** Entries between commas; blanks around them, empty ones and repeated ones are dropped. */
export const commaList: Kind<readonly string[]> = kind("A,B,…", (value) => splitList(value, /,/));

/** Entries between blanks. */
export const spaceList: Kind<readonly string[]> = kind('"A B …"', (value) => splitList(value, /\s+/));

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/; // RFC 6749 section 3.3

function checkScopes(scopes: readonly string[]): readonly string[] {
  if (!scopes.every((scope) => scopeToken.test(scope))) {
    throw new Error("scopes of printable ASCII without quotes");
  }
  return scopes;
}

/** Scopes between blanks. */
export const scopes: Kind<readonly string[]> = kind(
  '"A B …"',
  (value) => checkScopes(splitList(value, /\s+/)),
);

/** Scopes between commas or blanks. */
export const scopeList: Kind<readonly string[]> = kind(
  "A,B,…",
  (value) => checkScopes(splitList(value, /[,\s]+/)),
);

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration such as `1h30m`, or of plain seconds. */
export function parseDuration(value: string): number | undefined {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (!/^(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.test(text)) return undefined;
  let total = 0;
  let rest = text;
  while (rest !== "") {
    const match = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (match === null) return undefined;
    total += Number(match[1]) * (unitMs[match[2] ?? ""] ?? NaN);
    rest = rest.slice(match[0].length);
  }
  return Math.round(total);
}

/** The shortest Go form of a whole number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  const parts = [[3_600_000, "h"], [60_000, "m"], [1000, "s"], [1, "ms"]] as const;
  let rest = ms;
  let out = "";
  for (const [size, unit] of parts) {
    const count = Math.floor(rest / size);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * size;
  }
  return out;
}

/** A duration in milliseconds, within bounds: `90s`, `1h30m`, or plain seconds. */
export function duration(minMs: number, maxMs: number = 1e13): Kind<number> {
  return kind("DURATION", (value) => {
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const bounds = maxMs === 1e13
      ? (minMs === 0 ? "" : ` of at least ${formatDuration(minMs)}`)
      : ` from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
    throw new Error(`a duration${bounds} such as 90s, 1h30m or plain seconds`);
  });
}

/** A moment as RFC 3339 writes it, in milliseconds since the epoch. */
export const instant: Kind<number> = kind("TIME", (value) => {
  const form = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const ms = form.test(value.trim()) ? Date.parse(value.trim().toUpperCase()) : NaN;
  if (Number.isNaN(ms)) throw new Error("an RFC 3339 time such as 2026-01-31T12:00:00Z");
  return ms;
});

/** A regular expression; a leading `(?i)` of other engines becomes a flag. Blank text means none. */
export const regexp: Kind<RegExp | undefined> = kind("REGEXP", (value) => {
  if (value.trim() === "") return undefined;
  const leading = /^\(\?([ims]+)\)/.exec(value);
  try {
    return new RegExp(leading === null ? value : value.slice(leading[0].length), (leading?.[1] ?? "") + "u");
  } catch {
    throw new Error("a regular expression");
  }
});

/** Parameters as in a query: `prompt=login&login_hint=me`. */
export const parameters: Kind<readonly (readonly [name: string, value: string])[]> = kind(
  "NAME=VALUE&…",
  (value) => {
    const entries = [...new URLSearchParams(value.trim())];
    if (entries.length === 0 || !value.includes("=") || entries.some(([name]) => name === "")) {
      throw new Error("parameters such as prompt=login&login_hint=me");
    }
    return entries;
  },
);
