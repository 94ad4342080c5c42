/**
 * `x-mcp-header` (revision 2026-07-28, "Schema Extension"): a tool may ask for some of its arguments to be repeated in
 * `Mcp-Param-…` headers. Reading a tool's schema gives where those arguments are, or why the tool may not be offered.
 */
import { headerText } from "./modern.ts";

/** One argument that is repeated in a header. */
export interface ParamHeader {
  readonly header: string;
  /** Member names from `arguments` down. */
  readonly path: readonly string[];
}

/** The headers that a schema asks for, or the rule that it breaks. */
export type ParamHeaders = { readonly headers: readonly ParamHeader[] } | { readonly broken: string };

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const types = new Set<unknown>(["string", "integer", "boolean"]);
/** Names that carry a value, not a schema: what stands in there is data of the tool's own. */
const dataKeywords = new Set(["const", "default", "enum", "examples", "required"]);

/** Reads the input schema of a tool. */
export function paramHeaders(inputSchema: unknown): ParamHeaders {
  const headers: ParamHeader[] = [];
  const seen = new Set<string>();
  /** `path` is absent where no chain of `properties` leads. */
  const visit = (schema: unknown, path: readonly string[] | undefined): string | undefined => {
    if (Array.isArray(schema)) return firstOf(schema, (item) => visit(item, undefined));
    if (!isObject(schema)) return undefined;
    if (Object.hasOwn(schema, "x-mcp-header")) {
      const header = schema["x-mcp-header"];
      if (path === undefined || path.length === 0) {
        return "x-mcp-header stands where no chain of properties leads";
      }
      if (typeof header !== "string" || !token.test(header)) {
        return "x-mcp-header is not the name of a header";
      }
      if (!types.has(schema.type)) return `x-mcp-header "${header}" stands on no string, integer or boolean`;
      if (seen.has(header.toLowerCase())) return `x-mcp-header "${header}" is used twice`;
      seen.add(header.toLowerCase());
      headers.push({ header: `mcp-param-${header}`, path });
    }
    return firstOf(Object.entries(schema), ([keyword, value]) => {
      if (keyword === "properties" && isObject(value)) {
        return firstOf(
          Object.entries(value),
          ([name, child]) => visit(child, path === undefined ? undefined : [...path, name]),
        );
      }
      if (dataKeywords.has(keyword)) return undefined;
      if (!mapKeywords.has(keyword) || !isObject(value)) return visit(value, undefined);
      return firstOf(Object.values(value), (child) => visit(child, undefined));
    });
  };
  const broken = visit(inputSchema, []);
  return broken === undefined ? { headers } : { broken };
}

/** Keywords whose members have names of the tool's own choice. */
const mapKeywords = new Set(["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]);

/** The headers for a call with these arguments; what is absent, null or no plain value has none. */
export function paramHeaderValues(headers: readonly ParamHeader[], args: unknown): [string, string][] {
  return headers.flatMap(({ header, path }) => {
    const value = path.reduce<unknown>(
      (at, name) => isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined,
      args,
    );
    const text = plainText(value);
    return text === undefined ? [] : [[header, headerText(text)] as [string, string]];
  });
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
