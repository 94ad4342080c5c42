/**
 * A setting is declared once, as data; the command line, the environment, `--help`, `--check-config` and the
 * README's table all follow from the declarations. A folder declares its own settings beside the code that uses
 * them; `config/table.ts` puts them together.
 */

/** Where a setting has a meaning; elsewhere it is ignored. */
export type SettingMode = "stdio" | "http" | "both";

/** How the text of a setting is read: `parse` returns the value or throws an `Error` that says what is expected. */
export interface Kind<T> {
  /** What stands for the value in `--help`, such as `URL` or `DURATION`; empty for a switch. */
  readonly placeholder: string;
  parse(text: string): T;
}

/** The declaration of one setting. */
export interface Setting<T = unknown> {
  readonly kind: Kind<T>;
  /** The main environment variable. */
  readonly env?: string;
  /** The flag without its dashes, such as `oidc-issuer-url`. */
  readonly flag?: string;
  /** Other variables for the same thing; two of them with different values are an error. */
  readonly envAliases?: readonly string[];
  /** Other flags for the same thing. */
  readonly flagAliases?: readonly string[];
  /** Used when nothing is given and the dialect has no default of its own. */
  readonly default?: T;
  /** What `--help` shows as the default when it is not a plain value, such as "the provider's". */
  readonly defaultText?: string;
  readonly mode: SettingMode;
  /** A secret has a `…_FILE` variable as well, and its value is never shown. */
  readonly secret?: boolean;
  /** An empty value has a meaning of its own (only `REDIS_KEY_PREFIX`); everywhere else empty counts as unset. */
  readonly emptyIsValue?: boolean;
  /** The flag may be given several times; its texts are joined by line breaks. */
  readonly repeatable?: boolean;
  /** One sentence without a final period. */
  readonly help: string;
  /** The heading it stands under in `--help` and the README. */
  readonly group: string;
  /** Why the setting exists and what its default was chosen for; goes into the configuration reference. */
  readonly rationale?: string;
}

/** Something about the configuration that the log should say once at start; never a value. */
export interface ConfigWarning {
  /** A snake_case word, such as `trust_proxy_headers_deprecated`. */
  readonly event: string;
  readonly setting: string;
  readonly hint: string;
}

/** A folder's settings, by the name the code uses. */
// deno-lint-ignore no-explicit-any -- the value types differ from entry to entry
export type Settings = Readonly<Record<string, Setting<any>>>;

/** The values that a declaration leads to; a setting without a default may be absent. */
export type Values<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends { readonly default: infer _D; readonly kind: Kind<infer T> } ? T
    : S[K] extends Setting<infer T> ? T | undefined
    : never;
};
