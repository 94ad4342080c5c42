import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds hard to use about a page, each as one line. */
export async function accessibilityComplaints(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html}`))",
  );
}
