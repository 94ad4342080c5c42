import { html } from "hono/html";
import { isWebRedirect } from "../redirects.ts";
import type { Brand } from "./brand.ts";
import { respondWithPage } from "./layout.ts";

/** What the page on the way says. */
export interface ContinuePage {
  readonly brand: Brand;
  readonly title: string;
  readonly text: string;
  readonly link: string;
  readonly url: string;
}

/**
 * Sends the browser on from a page instead of by a redirect: Chromium applies `form-action` to every hop of a redirect
 * that follows a form, ours or the IdP's, and the last hops are not known to any policy. An application's own scheme
 * is opened by the user's click only, since browsers swallow it otherwise.
 */
export function continuePage(page: ContinuePage): Promise<Response> {
  return respondWithPage({
    title: page.title,
    brand: page.brand,
    ...(isWebRedirect(page.url) ? { refresh: page.url } : {}),
    body: html`
      <h1>${page.title}</h1>
      <p>${page.text}</p>
      <p
        class="actions"><a class="button primary" id="continue" href="${page.url}" rel="noreferrer">${page
          .link}</a></p>
    `,
  });
}
