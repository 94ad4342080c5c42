/**
 * Whether whoever sent this `Accept` is a person's browser: it names HTML, and nothing that a program asks for is wanted
 * at least as much. MCP clients name JSON and event streams only (RFC 9110 section 12.5.1).
 */
export function prefersHtml(accept: string | null): boolean {
  let html = 0;
  let program = 0;
  for (const range of (accept ?? "").toLowerCase().split(",").slice(0, 32)) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const q = quality === undefined ? 1 : Number(quality);
    if (!(q > 0)) continue;
    if (type === "text/html") html = Math.max(html, q);
    if (type === "application/json" || type === "text/event-stream") program = Math.max(program, q);
  }
  return html > program;
}
