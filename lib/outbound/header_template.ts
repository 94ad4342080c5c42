/** A header value with claims in it, such as `{email}` or `tenant={tid};roles={realm_access.roles}`. */
import { claimAt } from "../oauth/claims.ts";

/** The parts of a template, in order. */
export type HeaderTemplate = readonly ({ readonly text: string } | { readonly claim: string })[];

/** Reads a template; `undefined` when its braces make no sense or it names no claim. `{{` and `}}` are braces. */
export function parseHeaderTemplate(source: string): HeaderTemplate | undefined {
  const parts: ({ text: string } | { claim: string })[] = [];
  const pattern = /\{\{|\}\}|\{([^{}\s]+)\}|[^{}]+|[{}]/y;
  for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
    const [piece, claim] = match;
    if (claim !== undefined) parts.push({ claim });
    else if (piece === "{" || piece === "}") return undefined;
    else parts.push({ text: piece === "{{" ? "{" : piece === "}}" ? "}" : piece });
  }
  return parts.some((part) => "claim" in part) ? parts : undefined;
}

/** Why a template cannot be filled for somebody. */
export interface TemplateGap {
  readonly claim: string;
  readonly reason: "missing" | "not_text";
}

/**
 * The template with somebody's claims: texts, numbers and booleans as they are, lists of texts joined by commas.
 * Control characters, and commas inside a list's entry, would make something else of the header and are refused.
 */
export function fillHeaderTemplate(
  template: HeaderTemplate,
  claims: Readonly<Record<string, unknown>>,
): string | TemplateGap {
  let filled = "";
  for (const part of template) {
    if ("text" in part) {
      filled += part.text;
      continue;
    }
    const found = claimAt(claims, part.claim);
    if (found === undefined || found === null || found === "") {
      return { claim: part.claim, reason: "missing" };
    }
    const value = textOf(found);
    if (value === undefined) return { claim: part.claim, reason: "not_text" };
    filled += value;
  }
  return filled;
}

function textOf(value: unknown): string | undefined {
  const single = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  if (single) return isSafe(String(value)) ? String(value) : undefined;
  if (!Array.isArray(value)) return undefined;
  const fit = value.every((item) => typeof item === "string" && isSafe(item) && !item.includes(","));
  return fit ? value.join(",") : undefined;
}

function isSafe(text: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u001f\u007f]/.test(text);
}
