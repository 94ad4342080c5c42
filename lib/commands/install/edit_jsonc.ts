/**
 * Sets or removes one entry of a JSON file that people edit by hand: comments, trailing commas, order, indentation and
 * every other entry stay as they are, byte for byte. The parser finds the places; only text at these places changes.
 */
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { UserError } from "../../base/errors.ts";
import { addMember, type Edit, indentation, removeMember, written } from "./jsonc_places.ts";

/**
 * The text with the entry of a section set, or taken out (`undefined`).
 * @throws UserError when the text is not what it should be.
 */
export function editJsonc(text: string, section: string, name: string, entry: unknown, file: string): string {
  if (text.replace(/^\uFEFF/, "").trim() === "") {
    return entry === undefined ? text : `${JSON.stringify({ [section]: { [name]: entry } }, null, 2)}\n`;
  }
  const root = readTree(text, file);
  const servers = findNodeAtLocation(root, [section]);
  if (servers !== undefined && servers.type !== "object") {
    throw new UserError(`Cannot change ${file}: "${section}" in it is no object`);
  }
  const found = servers === undefined ? undefined : findNodeAtLocation(servers, [name]);
  if (entry === undefined) {
    return found?.parent === undefined ? text : apply(text, removeMember(text, found.parent));
  }
  if (servers === undefined) return apply(text, addMember(text, root, section, { [name]: entry }));
  if (found === undefined) return apply(text, addMember(text, servers, name, entry));
  if (JSON.stringify(valueOf(found)) === JSON.stringify(entry)) return text;
  const content = written(text, entry, indentation(text, found.parent?.offset ?? found.offset));
  return apply(text, [{ offset: found.offset, length: found.length, content }]);
}

function readTree(text: string, file: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text.replace(/^\uFEFF/, " "), errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new UserError(`Cannot read ${file}: ${printParseErrorCode(error.error)} in line ${line}`, {
      hint: "Repair the file first; nothing was changed.",
    });
  }
  if (root?.type !== "object") throw new UserError(`Cannot change ${file}: it holds no JSON object`);
  return root;
}

function valueOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  if (node.type !== "object") return node.value;
  return Object.fromEntries(
    (node.children ?? []).map(({ children = [] }) => [
      children[0]?.value,
      children[1] === undefined ? undefined : valueOf(children[1]),
    ]),
  );
}

function apply(text: string, edits: readonly Edit[]): string {
  return [...edits].sort((a, b) => b.offset - a.offset)
    .reduce(
      (out, { offset, length, content }) => out.slice(0, offset) + content + out.slice(offset + length),
      text,
    );
}
