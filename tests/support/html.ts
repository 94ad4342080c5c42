/** As much of HTML as a scripted browser needs: forms, links and a refresh, read by pattern from pages we know. */

export interface Form {
  /** As written; empty: the page's own address. */
  readonly action: string;
  readonly method: "get" | "post";
  /** Hidden and prefilled fields. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly buttons: readonly Button[];
}

export interface Button {
  readonly name: string;
  readonly value: string;
  readonly text: string;
}

/** All forms of a page, in order. */
export function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = "", inner = ""]) => ({
    action: attribute(head, "action") ?? "",
    method: attribute(head, "method")?.toLowerCase() === "post" ? "post" : "get",
    fields: inputsOf(inner),
    buttons: [...inner.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, at = "", text = ""]) => ({
      name: attribute(at, "name") ?? "",
      value: attribute(at, "value") ?? "",
      text: textOf(text),
    })),
  }));
}

/** Where a page sends the browser by itself or by its one link `id="continue"`; as written. */
export function continuationOf(html: string): string | undefined {
  for (const [, at = ""] of html.matchAll(/<a\b([^>]*)>/gi)) {
    if (attribute(at, "id") === "continue") return attribute(at, "href");
  }
  for (const [, at = ""] of html.matchAll(/<meta\b([^>]*)>/gi)) {
    if (attribute(at, "http-equiv")?.toLowerCase() !== "refresh") continue;
    return /url\s*=\s*['"]?(.+?)['"]?\s*$/i.exec(attribute(at, "content") ?? "")?.[1];
  }
  return undefined;
}

/** What a person reads: no tags, entities resolved, white space collapsed. */
export function textOf(html: string): string {
  const bare = html.replaceAll(/<(style|script|title)\b[\s\S]*?<\/\1>/gi, " ").replaceAll(/<[^>]*>/g, " ");
  return unescapeHtml(bare).replaceAll(/\s+/g, " ").trim();
}

function inputsOf(html: string): [string, string][] {
  const found: [string, string][] = [];
  for (const [, at = ""] of html.matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(at, "name");
    const type = attribute(at, "type")?.toLowerCase();
    if (name === undefined || type === "submit") continue;
    if ((type === "checkbox" || type === "radio") && !/\bchecked\b/i.test(at)) continue;
    found.push([name, attribute(at, "value") ?? ""]);
  }
  return found;
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, "i").exec(tag);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value === undefined ? undefined : unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", amp: "&" };
  return text.replaceAll(/&(#x[0-9a-f]+|#\d+|[a-z]+);/gi, (whole, code: string) => {
    if (code.startsWith("#x")) return String.fromCodePoint(Number.parseInt(code.slice(2), 16));
    if (code.startsWith("#")) return String.fromCodePoint(Number(code.slice(1)));
    return names[code.toLowerCase()] ?? whole;
  });
}
