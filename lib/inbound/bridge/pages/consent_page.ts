import { html } from "hono/html";
import { isLocalRedirect, redirectDestination } from "../redirects.ts";
import type { Brand } from "./brand.ts";
import { respondWithPage } from "./layout.ts";

/** What the consent page says. */
export interface ConsentPage {
  readonly brand: Brand;
  /** As the client gave it; unverified. */
  readonly clientName: string | undefined;
  /** The host that publishes the client's metadata; verified. */
  readonly clientHost: string | undefined;
  readonly redirectUri: string;
  /** The operator's name for the server. */
  readonly resourceName: string | undefined;
  readonly resource: string;
  readonly scopes: readonly string[];
  /** Who signed in last with this browser. */
  readonly account: string | undefined;
  /** The sealed form. */
  readonly token: string;
  /** Why the page is shown again. */
  readonly notice: string | undefined;
  readonly status: number;
}

/** Asks the user whether this client may act for them; the first button denies, so that Enter does. */
export function consentPage(page: ConsentPage): Promise<Response> {
  const client = page.clientName ?? "An application without a name";
  const server = page.resourceName ?? "this MCP server";
  const scopes = page.scopes.length === 0 ? "" : html`
    <div>
      <dt>It may use</dt>
      <dd>
        <ul>${page.scopes.map((scope) => html`<li>${scope}</li>`)}</ul>
      </dd>
    </div>
  `;
  return respondWithPage({
    title: "Authorize MCP client",
    brand: page.brand,
    form: true,
    status: page.status,
    body: html`
      ${page.notice === undefined ? "" : html`<p class="warn" role="status">${page.notice}</p>`}
      <h1>Allow ${client} to use ${server}?</h1>
      <p class="soft">If you allow it, you sign in, and the application can then call this server in your name.</p>
      <dl>
      <div><dt>Application</dt><dd>${client} <span class="soft">${page.clientHost === undefined
        ? "(the name is its own claim)"
        : `published by ${page.clientHost}`}</span></dd></div>
      <div><dt>Will redirect to</dt><dd>${redirectDestination(page.redirectUri)}</dd></div>
      <div><dt>Server</dt><dd>${page.resourceName === undefined
        ? page.resource
        : html`${page.resourceName} <span class="soft">${page.resource}</span>`}</dd></div>${scopes}
      </dl>
      ${localWarning(page.redirectUri)}
      <form method="post" action="consent">
      <input type="hidden" name="consent_token" value="${page.token}">
      ${page.account === undefined
        ? ""
        : html`<p class="soft">You last signed in here as <strong>${page.account}</strong>.</p>`}
      <div class="actions">
      <button type="submit" name="action" value="deny">Deny</button>
      <button type="submit" name="action" value="approve" class="primary">Allow</button>
      <button type="submit" name="action" value="switch" class="link">Allow with another account</button>
      </div>
      </form>
    `,
  });
}

function localWarning(uri: string) {
  if (!isLocalRedirect(uri)) return "";
  return html`<p class="warn">The answer goes to a program on your device, which could use any name.
Allow it only if you have just connected this application yourself.</p>`;
}
