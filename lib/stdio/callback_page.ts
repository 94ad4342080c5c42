/** What a browser sees at the end of a login. Nothing from outside reaches a page unescaped. */

/** One page; `tone` chooses the mark. */
export interface CallbackPage {
  readonly status: number;
  readonly tone: "good" | "bad";
  readonly title: string;
  readonly text: string;
  /** Shown small below the text, such as the server's own words. */
  readonly detail?: string;
}

/** The page as a response that no cache keeps and that may load, run and frame nothing. */
export function renderPage(page: CallbackPage): Response {
  const mark = page.tone === "good" ? "M5 13l4 4L19 7" : "M6 6l12 12M18 6L6 18";
  const detail = page.detail === undefined ? "" : `<p class="detail">${escapeHtml(page.detail)}</p>`;
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(page.title)} · mcp-doorman</title><style>${style}</style></head>
<body><main class="${page.tone}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="${mark}"/></svg>
<h1>${escapeHtml(page.title)}</h1><p>${escapeHtml(page.text)}</p>${detail}
<footer>mcp-doorman</footer></main></body></html>
`;
  return new Response(html, { status: page.status, headers: pageHeaders });
}

/** Text that means itself in HTML, in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.slice(0, 500).replaceAll(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "connection": "close",
};

const style =
  `:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--ink:#1d2430;--soft:#5b6575;--good:#14804a;
--bad:#b3261e;--line:#e2e5ea}@media(prefers-color-scheme:dark){:root{--bg:#14171c;--card:#1d2127;--ink:#e8eaee;
--soft:#a0a8b5;--good:#4cc38a;--bad:#ff8a80;--line:#2c323b}}*{box-sizing:border-box}body{margin:0;min-height:100vh;
display:grid;place-items:center;padding:1.5rem;background:var(--bg);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}main{width:min(28rem,100%);padding:2.5rem 2rem 1.5rem;
text-align:center;background:var(--card);border:1px solid var(--line);border-radius:16px;
box-shadow:0 12px 32px #0000001a}svg{width:64px;height:64px;padding:16px;border-radius:50%;fill:none;stroke-width:2.5;
stroke-linecap:round;stroke-linejoin:round}.good svg{stroke:var(--good);background:color-mix(in srgb,var(--good) 14%,transparent)}
.bad svg{stroke:var(--bad);background:color-mix(in srgb,var(--bad) 14%,transparent)}h1{margin:1.25rem 0 .5rem;font-size:1.4rem;text-wrap:balance;
line-height:1.3}p{margin:.5rem 0;color:var(--soft);overflow-wrap:anywhere}.detail{margin-top:1rem;padding:.75rem 1rem;
font-size:.875rem;border-radius:8px;background:var(--bg)}footer{margin-top:2rem;padding-top:1rem;font-size:.8rem;
color:var(--soft);border-top:1px solid var(--line)}`;
