/** Kinds of settings that name headers. */
import { kind } from "./kinds.ts";
import type { Kind } from "./setting.ts";

/** A header's name as RFC 9110 section 5.6.2 allows it. */
export const headerName: Kind<string> = kind("NAME", (value) => {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value)) throw new Error("a header name");
  return value;
});

/** A header's value: no control characters. */
export const headerValue: Kind<string> = kind("VALUE", (value) => {
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value) || value.trim() === "") {
    throw new Error("a header value without line breaks");
  }
  return value.trim();
});

/** Headers as `Name:Value`, one a line; `${VAR}` in them is put in later. */
export const headerList: Kind<readonly (readonly [name: string, value: string])[]> = kind(
  "NAME:VALUE",
  (value) =>
    value.split("\n").filter((line) => line.trim() !== "").map((line) => {
      const at = line.indexOf(":");
      if (at < 1) throw new Error("a header such as X-API-Key:abc");
      return [headerName.parse(line.slice(0, at).trim()), headerValue.parse(line.slice(at + 1))] as const;
    }),
);
