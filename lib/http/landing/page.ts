/**
 * What a browser sees that opens the connector's address: what it is, and per client how to add it. The status stays
 * 401 with its challenge, for a program that follows is one all the same.
 */
import { html } from "hono/html";
import { respondWithPage } from "../../inbound/bridge/pages/layout.ts";
import { waysToConnect } from "./clients.ts";

/** What the page is about. */
export interface Landing {
  /** The address that clients are given. */
  readonly resource: string;
  /** The operator's name for it. */
  readonly name: string;
  /** One to three characters in the place of a logo. */
  readonly mark: string;
}

/** Copies what stands beside a button; without it the text can still be selected. */
const script = `
for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.ariaLabel;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    document.getElementById("said").textContent = "Copied: " + text;
    button.textContent = button.ariaLabel = "Copied";
    setTimeout(() => [button.textContent, button.ariaLabel] = ["Copy", label], 2000);
  });
}
`;

/** The page with the challenge of the answer that it takes the place of. */
export async function landingPage(
  { resource, name, mark }: Landing,
  challenge: string | null,
): Promise<Response> {
  const copyable = (id: string, text: string, what: string) =>
    html`
      <div
        class="copy"><pre tabindex="0" aria-label="${what}"><code id="${id}">${text}</code></pre><button
            type="button" data-copy="${id}" aria-label="Copy ${what}" hidden>Copy</button></div>
    `;
  const ways = waysToConnect(resource).map(({ client, say, copy }, at) =>
    html`
      <details${at === 0
        ? html`
          open
        `
        : ""}>
      <summary>${client}</summary>
      <p>${say}</p>
      ${copy === undefined ? "" : copyable(`way${at}`, copy, `the entry for ${client}`)}
      </details>
    `
  );
  const page = await respondWithPage({
    title: name,
    brand: { mark, name },
    status: 401,
    script,
    body: html`
      <h1>Connect ${name}</h1>
      <p>This is the address of an MCP server. It is made for AI applications rather than browsers: add it to yours,
      which then asks you to log in.</p>
      ${copyable("address", resource, "the address")}
      <p id="said" class="soft" role="status"></p>
      ${ways}
    `,
  });
  if (challenge !== null) page.headers.set("www-authenticate", challenge);
  page.headers.set("vary", "accept");
  return page;
}
