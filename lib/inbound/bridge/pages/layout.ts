/** What every page shares: one card, in light and dark, from phone to desktop, with nothing external, and no script where anything is decided. */
import { html, raw } from "hono/html";
import type { Brand } from "./brand.ts";
import { sha256Base64 } from "./digest.ts";
import { style } from "./style.ts";

/** Text or markup made with hono's `html`, which escapes what is put in. */
export type Markup = ReturnType<typeof html>;

/** One page. */
export interface Page {
  readonly title: string;
  readonly brand: Brand;
  readonly body: Markup | Promise<Markup>;
  readonly status?: number;
  /** Where the browser goes by itself at once. */
  readonly refresh?: string;
  /** The page has a form that is sent to us. */
  readonly form?: boolean;
  /** The only script that runs, for a page on which nothing is decided. */
  readonly script?: string;
}

/** The answer with the page: never stored, framed by nothing, running nothing. */
export async function respondWithPage(page: Page): Promise<Response> {
  const refresh = page.refresh === undefined
    ? ""
    : html`<meta http-equiv="refresh" content="0;url=${page.refresh}">`;
  const text = await html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    ${refresh}
    <title>${page.title}</title>
    <style>${raw(style)}</style>
      </head>
      <body>
        <main>
    <p class="brand"><span class="badge" aria-hidden="true">${page.brand.mark}</span>${page.brand.name}</p>
    ${await page.body}
        </main>
        ${page.script === undefined ? "" : html`<script>${raw(page.script)}</script>`}
      </body>
    </html>
  `;
  return new Response(String(text), {
    status: page.status ?? 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store, no-transform",
      pragma: "no-cache",
      "content-security-policy": [
        "default-src 'none'",
        `style-src 'sha256-${await sha256Base64(style)}'`,
        ...(page.script === undefined ? [] : [`script-src 'sha256-${await sha256Base64(page.script)}'`]),
        `form-action ${page.form ? "'self'" : "'none'"}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join("; "),
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });
}
