import { html } from "hono/html";
import type { Brand } from "./brand.ts";
import { respondWithPage } from "./layout.ts";

/** A link that ends or begins anew what went wrong. */
export interface WayOut {
  readonly id: "again" | "back";
  readonly text: string;
  readonly url: string;
}

/** What went wrong, for a person. */
export interface FailurePage {
  readonly brand: Brand;
  readonly status: number;
  readonly title: string;
  readonly description: string;
  /** Who is signed in. */
  readonly account: string | undefined;
  readonly cure: string | undefined;
  /** What to do in which application. */
  readonly steps: readonly string[];
  /** Stands in the log beside the cause. */
  readonly reference: string;
  readonly links: readonly WayOut[];
}

/** The page of a failure that cannot be handed to the client. */
export function failurePage(page: FailurePage): Promise<Response> {
  const links = page.links.map((link, at) => {
    const classes = at === 0 ? "button primary" : "button";
    return html`<a class="${classes}" id="${link.id}" href="${link.url}" rel="noreferrer">${link.text}</a>`;
  });
  return respondWithPage({
    title: page.title,
    brand: page.brand,
    status: page.status,
    body: html`
      <h1>${page.title}</h1>
      <p>${page.description}.</p>
      ${page.account === undefined ? "" : html`<p>You are signed in as <strong>${page.account}</strong>.</p>`}
      ${page.cure === undefined ? "" : html`<p>${page.cure}</p>`}
      ${page.steps.length === 0 ? "" : html`<ol>${page.steps.map((step) => html`<li>${step}</li>`)}</ol>`}
      <p class="soft">Reference for the operator: <code>${page.reference}</code></p>
      ${links.length === 0 ? "" : html`<p class="actions">${links}</p>`}
    `,
  });
}
