/**
 * The text without the slashes at its end. Not by a regular expression: what looks for `/+$` takes quadratic time on
 * a text full of slashes that ends in something else, and such texts come from outside.
 */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 47) end--;
  return text.slice(0, end);
}
