/** The places in a JSON text at which a member is added or removed, with the file's own way of laying things out. */
import { createScanner, type Node } from "jsonc-parser";

/** The scanner's numbers for what is looked for here; its enum has no value at run time. */
const token = { comma: 5, lineComment: 12, blockComment: 13, trivia: 15 };

/** A piece of text that is replaced. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly content: string;
}

/** The blanks at the beginning of the line that holds the offset. */
export function indentation(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

/** A value as this file would have it, its first line not indented. */
export function written(text: string, value: unknown, indent: string): string {
  const unit = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  const lines = JSON.stringify(value, null, unit.startsWith("\t") ? "\t" : unit.length).split("\n");
  return lines.join(lineEnd(text) + indent);
}

function lineEnd(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Adds a member at the end of an object. */
export function addMember(text: string, object: Node, name: string, value: unknown): Edit[] {
  const last = object.children?.at(-1);
  const outer = indentation(text, object.offset);
  const unit = /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
  const indent = last === undefined || onOneLine(text, object, last)
    ? outer + unit
    : indentation(text, last.offset);
  const member = `${lineEnd(text)}${indent}${JSON.stringify(name)}: ${written(text, value, indent)}`;
  if (last === undefined) {
    const close = object.offset + object.length - 1;
    const inside = text.slice(object.offset + 1, close);
    const kept = inside.trimEnd();
    return [{
      offset: object.offset + 1 + kept.length,
      length: inside.length - kept.length,
      content: `${member}${lineEnd(text)}${outer}`,
    }];
  }
  const end = last.offset + last.length;
  const comma = commaAfter(text, end);
  if (onOneLine(text, object, last)) {
    const content = `${comma === undefined ? "," : ""} ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
    return [{ offset: comma === undefined ? end : comma + 1, length: 0, content }];
  }
  const after = endOfLine(text, comma === undefined ? end : comma + 1);
  if (comma === undefined && after === end) return [{ offset: end, length: 0, content: `,${member}` }];
  return comma === undefined
    ? [{ offset: end, length: 0, content: "," }, { offset: after, length: 0, content: member }]
    : [{ offset: after, length: 0, content: `${member},` }];
}

/** Removes a member with its comma, and its lines when nothing else is on them. */
export function removeMember(text: string, member: Node): Edit[] {
  const object = member.parent;
  const siblings = object?.children ?? [];
  const before = siblings[siblings.indexOf(member) - 1];
  const end = member.offset + member.length;
  const comma = commaAfter(text, end);
  if (object !== undefined && siblings.length === 1) {
    const close = object.offset + object.length - 1;
    const remarks = text.slice(object.offset + 1, member.offset) +
      text.slice(comma === undefined ? end : comma + 1, close);
    if (remarks.trim() === "") return [{ offset: object.offset, length: object.length, content: "{}" }];
  }
  const lineStart = text.lastIndexOf("\n", member.offset - 1) + 1;
  const alone = text.slice(lineStart, member.offset).trim() === "";
  const rest = endOfLine(text, comma === undefined ? end : comma + 1);
  const wholeLines = alone && /^\r?\n/.test(text.slice(rest));
  const from = wholeLines ? lineStart : member.offset;
  const until = wholeLines ? text.indexOf("\n", rest) + 1 : comma === undefined ? end : comma + 1;
  const own: Edit = { offset: from, length: until - from, content: "" };
  const dangling = comma === undefined && before !== undefined
    ? commaAfter(text, before.offset + before.length)
    : undefined;
  if (dangling === undefined) return [own];
  if (!wholeLines && text.slice(dangling + 1, from).trim() === "") {
    return [{ offset: dangling, length: until - dangling, content: "" }];
  }
  return [own, { offset: dangling, length: 1, content: "" }];
}

function onOneLine(text: string, object: Node, last: Node): boolean {
  return !text.slice(object.offset, last.offset).includes("\n");
}

/** Where the comma after a value is, past blanks and comments. */
function commaAfter(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  return scanner.scan() === token.comma ? scanner.getTokenOffset() : undefined;
}

/** The end of a line's remark, if after the offset there is nothing else on the line; else the offset itself. */
function endOfLine(text: string, offset: number): number {
  const scanner = createScanner(text, false);
  scanner.setPosition(offset);
  let end = offset;
  while (true) {
    const kind = scanner.scan();
    const stop = scanner.getTokenOffset() + scanner.getTokenLength();
    if (kind === token.lineComment) end = stop;
    else if (kind === token.blockComment && !text.slice(offset, stop).includes("\n")) end = stop;
    else if (kind !== token.trivia) return end;
  }
}
