/**
 * What no output may show. Whatever is secret is put in here as it comes by, mostly by the fakes that issue or receive
 * it: tokens, codes, verifiers, states, session ids, client secrets, arguments of tools.
 *
 *     every program that the tests start         runs at LOG_LEVEL=trace, and all it wrote is searched when it ends
 *     every pump and login in the test's process the same with its log (`watched_log.ts`)
 *
 * A test that has a secret of its own says `keepSecret("what it is", value)`; one that needs another level sets
 * `LOG_LEVEL` for its program. A part of a secret is as bad as the whole: 23 characters in a row are found anywhere.
 */
import { entries } from "../../lib/config/table.ts";

const blockLength = 12;
const minLength = 8;
const maxLength = 4_096;
/** Of long secrets: every twelfth place of them; an excerpt of 23 characters has one of these in it. */
const blocks = new Map<string, string>();
const short = new Map<string, string>();

/** From now on this may be in no output; texts of less than 8 characters are no secrets. */
export function keepSecret(what: string, value: string | null | undefined): void {
  if (value === null || value === undefined || value.length < minLength) return;
  const text = withoutHeader(value).slice(0, maxLength);
  if (text.length < 2 * blockLength) return void short.set(text, what);
  for (let at = 0; at + blockLength <= text.length; at += blockLength) {
    blocks.set(text.slice(at, at + blockLength), what);
  }
}

/** The header of a compact JWT or JWE is the same in many of them and says only how it was made. */
function withoutHeader(value: string): string {
  return /^eyJ[\w-]*\.[\w-]+/.test(value) ? value.slice(value.indexOf(".") + 1) : value;
}

/** What a request to an upstream carries: credentials, the session, and what a tool is called with. */
export function keepCarried(headers: { get(name: string): string | null }, body: string): void {
  const authorization = headers.get("authorization");
  keepSecret("credentials at the upstream", authorization?.slice(authorization.indexOf(" ") + 1));
  for (const name of ["cookie", "x-api-key", "mcp-session-id"]) keepSecret(name, headers.get(name));
  if (!/"method"\s*:\s*"(tools\/call|prompts\/get)"/.test(body.slice(0, maxLength))) return;
  try {
    keepTexts("an argument", JSON.parse(body).params?.arguments);
  } catch {
    // Not JSON: there are no arguments in it.
  }
}

function keepTexts(what: string, value: unknown): void {
  if (typeof value === "string") keepSecret(what, value);
  else if (value !== null && typeof value === "object") {
    for (const member of Object.values(value)) keepTexts(what, member);
  }
}

const credentialNames = [
  "access_token",
  "refresh_token",
  "id_token",
  "code",
  "code_verifier",
  "client_secret",
  "client_assertion",
  "device_code",
  "registration_access_token",
  "state",
  "nonce",
  "code_challenge",
];

/** What an OAuth request or answer carries, by the names of the RFCs. */
export function keepOAuth(parameters: URLSearchParams | Record<string, unknown>): void {
  for (const name of credentialNames) {
    const value = parameters instanceof URLSearchParams ? parameters.get(name) : parameters[name];
    if (typeof value === "string") keepSecret(name, name === "code" ? withoutClient(value) : value);
  }
}

/** Keycloak's codes (`code.session.client`) end with the id of the client, which is no secret. */
function withoutClient(code: string): string {
  return code.replace(/^([^.]+\.[^.]+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "$1");
}

/** The secret settings among the flags and variables that a program is started with. */
export function keepSettings(args: readonly string[], env: Readonly<Record<string, string>>): void {
  for (const [, { secret, env: variable, envAliases = [], flag, flagAliases = [] }] of entries) {
    if (secret !== true) continue;
    for (const name of [variable, ...envAliases]) keepSetting(name ?? "", env[name ?? ""]);
    for (const name of [flag, ...flagAliases]) {
      args.forEach((arg, at) => {
        if (arg === `--${name}`) keepSetting(`--${name}`, args[at + 1]);
        if (arg.startsWith(`--${name}=`)) keepSetting(`--${name}`, arg.slice(arg.indexOf("=") + 1));
      });
    }
  }
}

function keepSetting(name: string, value: string | undefined): void {
  if (value === undefined || value.includes("${")) return;
  if (/^[[{]/.test(value)) {
    for (const [, secret] of value.matchAll(/secret"\s*:\s*"([^"]+)"/g)) keepSecret(name, secret);
  } else if (/^[a-z]+:\/\//.test(value)) keepSecret(name, new URL(value).password);
  else for (const line of value.split("\n")) keepSecret(name, line.slice(line.indexOf(": ") + 1).trim());
}

/** Lines with a secret in them, each with what it is. */
export function secretsIn(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const looked = isLogLine(line) ? line : withoutLoginAddress(line);
    const what = whatIsIn(looked) ?? (looked === line && token.test(line) ? "a token" : undefined);
    if (what !== undefined) found.push(`${what} in: ${line}`);
  }
  return found;
}

/** A JWT or JWE in whole, or credentials as they stand in a header, wherever they come from. */
const token = /eyJ[\w-]{8,}\.[\w-]*\.[\w-]+|\b(?:Bearer|Basic) [\w+/-]{8,}/;

function whatIsIn(line: string): string | undefined {
  for (const [text, what] of short) if (line.includes(text)) return what;
  if (blocks.size === 0) return undefined;
  for (let at = 0; at + blockLength <= line.length; at++) {
    const what = blocks.get(line.slice(at, at + blockLength));
    if (what !== undefined) return what;
  }
}

function isLogLine(line: string): boolean {
  return /^\{"ts":|^\d{4}-\d\d-\d\dT/.test(line);
}

/** The address that a person is asked to open has to be shown; what is in it is good for that one login. */
function withoutLoginAddress(line: string): string {
  return line.replaceAll(/https?:\/\/\S+[?&](response_type|user_code)=\S+/g, "");
}

/** @throws Error that names what was shown and where */
export function assertNothingShown(where: string, text: string): void {
  const found = secretsIn(text);
  if (found.length > 0) throw new Error(`${where} shows what is secret:\n${found.slice(0, 10).join("\n")}`);
}
