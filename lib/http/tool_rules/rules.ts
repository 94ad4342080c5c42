/**
 * Which users may see and call which tools, as one line of text:
 *
 *     allow read_*, search to everyone; allow * to group:ops, scope:admin; deny drop_* to subject:"a b"
 *
 * Rules are asked in their order; the first that is about the tool and the caller decides. Where none is, the answer is
 * no. `*` in a tool's name stands for any characters; without `to` a rule is about everyone.
 */
import type { Caller } from "../../oauth/caller.ts";

/** One rule. */
export interface ToolRule {
  readonly allow: boolean;
  /** Matches whole tool names. */
  readonly tools: readonly RegExp[];
  /** Empty: everyone. */
  readonly who: readonly { readonly kind: "group" | "scope" | "subject"; readonly name: string }[];
}

/** Reads the rules. Throws an `Error` that says what was expected. */
export function parseToolRules(text: string): readonly ToolRule[] {
  const rules = split(text, /[;\n]/).map((part) => part.trim()).filter((part) => part !== "").map(parseRule);
  if (rules.length === 0) throw new Error('rules such as "allow read_* to everyone; allow * to group:ops"');
  return rules;
}

/** Whether the caller may see and call the tool. */
export function mayUse(rules: readonly ToolRule[], caller: Caller, tool: string): boolean {
  return rules.find((rule) => concerns(rule, caller) && rule.tools.some((name) => name.test(tool)))?.allow ===
    true;
}

function concerns({ who }: ToolRule, { groups, scopes, subject }: Caller): boolean {
  return who.length === 0 ||
    who.some(({ kind, name }) =>
      kind === "group" ? groups.includes(name) : kind === "scope" ? scopes.includes(name) : subject === name
    );
}

function parseRule(text: string): ToolRule {
  const match = /^(allow|deny)\s+(.*)$/s.exec(text);
  const [tools = "", ...rest] = split(match?.[2] ?? "", /\sto\s/);
  if (match === null || rest.length > 1) {
    throw new Error(`"allow" or "deny", tool names, and "to" whom (not "${text}")`);
  }
  const written = split(tools, /,/);
  if (written.some((name) => !/^\s*("[^"]+"|[^\s"]+)\s*$/.test(name))) {
    throw new Error(`tool names between commas, in quotes if they have blanks (not "${text}")`);
  }
  const names = written.map(unquoted);
  return { allow: match[1] === "allow", tools: names.map(pattern), who: parseWho(rest[0], text) };
}

function parseWho(text: string | undefined, rule: string): ToolRule["who"] {
  if (text === undefined) return [];
  const entries = split(text, /,/).map((entry) => entry.trim());
  if (entries.length === 1 && entries[0] === "everyone") return [];
  return entries.map((entry) => {
    const match = /^(group|scope|subject):(.+)$/s.exec(entry);
    const name = unquoted(match?.[2] ?? "");
    if (match === null || name === "") {
      throw new Error(`everyone, or group:…, scope:…, subject:… between commas in "${rule}"`);
    }
    return { kind: match[1] as "group" | "scope" | "subject", name };
  });
}

function pattern(name: string): RegExp {
  const literal = name.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`, "su");
}

function unquoted(text: string): string {
  return /^\s*"([^"]*)"\s*$/.exec(text)?.[1] ?? text.trim();
}

/** The parts between separators that are not inside double quotes. */
function split(text: string, by: RegExp): string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const quoted = /^"[^"]*"/.exec(rest)?.[0];
    const separator = quoted === undefined ? new RegExp(`^(?:${by.source})`).exec(rest)?.[0] : undefined;
    if (separator !== undefined) {
      parts.push(part);
      part = "";
    } else {
      part += quoted ?? rest[0];
    }
    at += (separator ?? quoted ?? " ").length;
  }
  parts.push(part);
  return parts;
}
