/** The system's Chromium, as a person would have it: a new profile each time, and nothing of its own on the network. */
import { type Browser, chromium } from "playwright-core";

export async function launchChromium(path: string): Promise<Browser> {
  return await chromium.launch({
    executablePath: path,
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Where screenshots go; ignored by git. */
export async function artifact(name: string): Promise<string> {
  const folder = new URL("../../.artifacts/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  return new URL(name, folder).pathname;
}
