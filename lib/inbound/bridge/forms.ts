import type { Context } from "hono";
import { BodyTooLarge, readLimitedText } from "../../base/body.ts";
import type { OAuthError } from "../../oauth/errors.ts";
import { failure } from "./failures.ts";

/** The longest body of a registration, token or consent request, in bytes. */
export const maxBodyBytes = 65_536;

/** The body as text. @throws OAuthError */
export async function readBody(c: Context): Promise<string> {
  try {
    return await readLimitedText(c.req.raw, maxBodyBytes);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw failure("body_too_large");
    throw failure("body_malformed", { error });
  }
}

/** The form of a POST whose URL has no parameters; `singles` must not be repeated. @throws OAuthError */
export async function readForm(c: Context, singles: readonly string[]): Promise<URLSearchParams> {
  if (queryOf(c.req.raw.url) !== "") throw failure("query_not_allowed");
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") throw failure("body_malformed");
  const form = new URLSearchParams(await readBody(c));
  const repeated = repeatedOf(form, singles);
  if (repeated !== undefined) throw repeated;
  return form;
}

/** The parameters of a GET. */
export function readQuery(c: Context): URLSearchParams {
  return new URLSearchParams(queryOf(c.req.raw.url));
}

/** The error for the first of these parameters that is there twice. */
export function repeatedOf(form: URLSearchParams, singles: readonly string[]): OAuthError | undefined {
  return singles.some((name) => form.getAll(name).length > 1) ? failure("parameter_repeated") : undefined;
}

/** A parameter; empty counts as absent (RFC 6749 section 3.1). */
export function parameter(form: URLSearchParams, name: string): string | undefined {
  const value = form.get(name);
  return value === null || value === "" ? undefined : value;
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at + 1).split("#")[0] ?? "";
}
