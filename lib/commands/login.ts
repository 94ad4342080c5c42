/**
 * `mcp-doorman login`: a new login for one upstream, in a browser, with a second device, or by pasting the address
 * that a browser elsewhere ended on. `--paste` also finishes a login that a running program waits for.
 */
import { describeError, UserError } from "../base/errors.ts";
import { NetworkError } from "../base/network_error.ts";
import { configuredDoor } from "../stdio/discovery.ts";
import type { Door, LoginContext } from "../stdio/login_context.ts";
import { deliverPaste, readPastedLine, waitingLogins } from "../stdio/paste.ts";
import { type PendingLogin, pendingLogins } from "../stdio/pending_login.ts";
import { probeUpstream } from "../stdio/probe.ts";
import { renewGrant } from "../stdio/renewal.ts";
import { discoveredDoor } from "../stdio/upstream_discovery.ts";
import type { Invocation } from "./command.ts";
import { asAccount, type LoginParts, openLoginParts } from "./login_parts.ts";
import { type Spinner, spinner } from "./spinner.ts";

/** @throws UserError when the login did not happen. */
export async function run(invocation: Invocation): Promise<number> {
  using parts = await openLoginParts(invocation);
  const paste = invocation.flags["paste"] === true;
  const waiting = paste ? await waitingLogins(parts.http, parts.config.login.cacheDir) : [];
  if (waiting.length > 0) {
    await pasteInto(parts, waiting);
    console.log("Done: the program that was waiting is logged in.");
    return 0;
  }
  if (!parts.upstreamGiven) {
    throw new UserError(
      "Cannot log in without an upstream: none was named, and no program waits for a login",
      {
        hint: "Give the MCP server's URL: mcp-doorman login https://example.com/mcp",
        exitCode: 2,
      },
    );
  }
  using busy = spinner();
  const context = withSpinner(contextOf(parts, invocation, paste), paste, busy);
  const door = await findDoor(parts, context);
  if (door === undefined) {
    console.log(`${parts.config.upstreamUrl.href} lets you in without a login.`);
    return 0;
  }
  const grant = await renewGrant(context, { always: true, door });
  if (grant !== undefined) console.log(`Logged in to ${grant.upstream}${asAccount(grant)}.`);
  return 0;
}

/** The context with what the command's flags change. */
function contextOf({ context, http }: LoginParts, { flags }: Invocation, paste: boolean): LoginContext {
  const { config } = context;
  const select = flags["select-account"] === true ? [["prompt", "select_account"] as const] : [];
  let asked = false;
  return {
    ...context,
    config: {
      ...config,
      ...(flags["device"] === true ? { grant: "device_code" as const } : {}),
      openBrowser: config.openBrowser && !paste,
      authorizeParameters: [...config.authorizeParameters, ...select],
    },
    report(status) {
      if (!paste || asked || status.state !== "waiting_for_user" || status.userCode !== undefined) return;
      asked = true;
      void promptFor(http, pendingLogins(config.cacheDir));
    },
  };
}

/** The context with a sign of life below what is printed while a person is waited for, unless that person types here. */
function withSpinner(context: LoginContext, paste: boolean, busy: Spinner): LoginContext {
  let waiting = false;
  const show = () => waiting && busy.show("Waiting for the login; Ctrl-C ends it");
  return {
    ...context,
    print(line) {
      busy.clear();
      context.print(line);
      show();
    },
    report(status) {
      context.report(status);
      waiting = status.state === "waiting_for_user" && !paste;
      busy.clear();
      show();
    },
  };
}

/** Where to log in; `undefined` when the upstream wants nothing. */
async function findDoor(
  parts: LoginParts,
  context: LoginContext,
): Promise<(() => Promise<Door>) | undefined> {
  const { issuerUrl } = parts.config.login;
  if (issuerUrl !== undefined) return () => configuredDoor(context, issuerUrl);
  const { upstreamUrl, headers } = parts.config;
  const { status, challenge } = await probeUpstream(parts.http, upstreamUrl, headers).catch((error) => {
    const hint = error instanceof NetworkError ? error.hint : undefined;
    throw new UserError(describeError(error), {
      hint: hint ?? "Check the address, and the network.",
      cause: error,
    });
  });
  if (status === 401 || status === 403) return () => discoveredDoor(context, challenge);
  if (status < 400) return undefined;
  throw new UserError(`Cannot find out how to log in: ${upstreamUrl.href} answered HTTP ${status}`, {
    hint: "Check that this is the address of an MCP server.",
  });
}

const prompt = "Paste the address that the browser ends on, even if it shows an error there:";

/** Goes on asking until the login took an answer; the program ends when it has. */
async function promptFor(http: LoginParts["http"], waiting: readonly PendingLogin[]): Promise<void> {
  const [pending] = waiting;
  while (pending !== undefined) {
    console.error(prompt);
    const text = await readPastedLine(Deno.stdin.readable);
    if (text === "") return;
    try {
      return await deliverPaste(http, pending, text);
    } catch (error) {
      console.error(error instanceof Error ? error.message : String(error));
    }
  }
}

/** Brings an answer to one of the logins that running programs wait for. */
async function pasteInto({ http }: LoginParts, waiting: readonly PendingLogin[]): Promise<void> {
  for (const { url } of waiting) console.error(`A program waits for this login:\n\n  ${url}\n`);
  console.error(prompt);
  const text = await readPastedLine(Deno.stdin.readable);
  const meant = waiting.find(({ state }) => text.includes(`state=${state}`)) ?? waiting[0];
  if (meant !== undefined) await deliverPaste(http, meant, text);
}
