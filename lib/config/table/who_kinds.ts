/** Kinds of the settings that say who may enter and where clients may be. */
import { commaList, kind } from "../../base/kinds.ts";
import type { Kind } from "../../base/setting.ts";

function listOf(placeholder: string, good: RegExp, expected: string): Kind<readonly string[]> {
  return kind(placeholder, (value) => {
    const entries = commaList.parse(value);
    const bad = entries.find((entry) => !good.test(entry));
    if (bad !== undefined) throw new Error(`${expected} (not "${bad}")`);
    return entries;
  });
}

const domain = /^[^\s@,.]+(\.[^\s@,.]+)*$/;

/** E-mail addresses between commas. */
export const emailList = listOf("EMAIL,…", /^[^\s@,]+@[^\s@,]+$/, "e-mail addresses between commas");

/** Domains between commas. */
export const domainList = listOf("DOMAIN,…", domain, "domains such as example.com between commas");

const dangerous = [
  "about",
  "blob",
  "data",
  "file",
  "filesystem",
  "ftp",
  "http",
  "https",
  "javascript",
  "vbscript",
];

/** Private-use URI schemes between commas. */
export const schemeList: Kind<readonly string[]> = kind("SCHEME,…", (value) => {
  const entries = commaList.parse(value).map((entry) => entry.toLowerCase().replace(/:(\/\/)?$/, ""));
  for (const entry of entries) {
    if (!/^[a-z][a-z0-9+.-]*$/.test(entry) || dangerous.includes(entry)) {
      throw new Error(`private-use schemes such as com.example.app (not "${entry}")`);
    }
  }
  return entries;
});

/** One to three characters. */
export const mark: Kind<string> = kind("TEXT", (value) => {
  const length = [...new Intl.Segmenter().segment(value.trim())].length;
  if (length < 1 || length > 3) throw new Error("one to three characters");
  return value.trim();
});
