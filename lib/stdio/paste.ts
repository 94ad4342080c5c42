/**
 * Finishing a login by hand, where the browser runs on another machine and its last redirect leads nowhere: what the
 * user pastes is checked and given to the waiting login's own listener, which judges it like any callback.
 */
import type { HttpClient } from "../base/http_client.ts";
import { pastedCallback, type PendingLogin, pendingLogins } from "./pending_login.ts";
import { loginFailed } from "./login_context.ts";

/** The logins of this folder whose listeners answer; a killed process leaves its file but not its port. */
export async function waitingLogins(http: HttpClient, dir: string): Promise<readonly PendingLogin[]> {
  const alive = await Promise.all(
    pendingLogins(dir).map(async (pending) => {
      try {
        const response = await http.fetch(pending.redirectUri, { timeoutMs: 5_000 });
        await response.body?.cancel();
        return [pending];
      } catch {
        return [];
      }
    }),
  );
  return alive.flat();
}

/** Says whether the waiting login took it and succeeded. @throws UserError when nothing waits or the paste is wrong. */
export async function deliverPaste(http: HttpClient, pending: PendingLogin, pasted: string): Promise<void> {
  const target = pastedCallback(pending, pasted);
  let response: Response;
  try {
    response = await http.fetch(target, { timeoutMs: 60_000 });
  } catch (error) {
    throw loginFailed(
      "no login waits for an answer any more",
      "Start it again with `mcp-doorman login --paste`.",
      error,
    );
  }
  await response.body?.cancel();
  if (response.status !== 200) {
    throw loginFailed(
      `the login did not accept the pasted answer (HTTP ${response.status})`,
      "See what the waiting program says on its stderr, and start the login again.",
    );
  }
}

/** The next line of a stream of bytes, without what follows it. */
export async function readPastedLine(input: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of input.pipeThrough(new TextDecoderStream(), { preventCancel: true })) {
    text += chunk;
    const line = text.trimStart();
    if (line.includes("\n")) return line.slice(0, line.indexOf("\n")).trim();
    if (text.length > 32_768) break;
  }
  return text.trim();
}
