/**
 * The words of a command line: blanks part them, single quotes keep all, double quotes and backslashes keep as in a
 * POSIX shell. Nothing is expanded. `undefined` when a quote is not closed.
 */
export function splitCommand(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "'") {
      if (char === "'") quote = "";
      else word += char;
    } else if (quote === '"') {
      if (char === '"') quote = "";
      else if (char === "\\" && ['"', "\\", "$", "`"].includes(text[at + 1] ?? "")) word += text[++at] ?? "";
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\" && at + 1 < text.length) {
      word = (word ?? "") + (text[++at] ?? "");
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
