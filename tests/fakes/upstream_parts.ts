/** A tool result of one text. */
export function text(value: string) {
  return { content: [{ type: "text" as const, text: value }] };
}

/** `bytes` ASCII characters that do not repeat within a line. */
export function bigText(bytes: number): string {
  const line = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n";
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}
