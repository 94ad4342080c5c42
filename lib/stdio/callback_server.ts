/**
 * The listener that a browser comes back to. It is up before the browser opens, on loopback addresses only, and knows
 * one path, one method and one Host. Whoever does not bring this login's `state` gets a page and changes nothing: a
 * page that some other program or site made up must not end the login. The first callback with the state is the one;
 * its browser waits until the caller knows how the login ended, so that no page says "done" too early.
 */
import { equalInConstantTime } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import { type CallbackPage, renderPage } from "./callback_page.ts";

/** The browser's return, its state already checked. */
export interface Callback {
  readonly parameters: URLSearchParams;
  /** Shows the browser how it ended; to be called once. */
  answer(page: CallbackPage): void;
}

/** The listener of one login. Disposing lets a running answer finish. */
export interface CallbackServer extends AsyncDisposable {
  /** The address to give the server as `redirect_uri`. */
  readonly redirectUri: string;
  /** The first callback that carries the state. */
  readonly callback: Promise<Callback>;
}

/**
 * Listens at the first of `redirectUrls` whose port is free (port 0: any).
 * @throws UserError that names the taken port.
 */
export function listenForCallback(redirectUrls: readonly URL[], state: string): CallbackServer {
  let inUse: UserError | undefined;
  for (const url of redirectUrls) {
    try {
      return listen(url, state);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw cannotListen(url, error as Error);
      inUse ??= cannotListen(url, error);
    }
  }
  throw inUse ?? new UserError("Cannot listen for the login's callback: no redirect URL is configured");
}

function listen(redirectUrl: URL, state: string): CallbackServer {
  const { promise, resolve } = Promise.withResolvers<Callback>();
  let answer: PromiseWithResolvers<CallbackPage> | undefined;
  let over = false;
  const url = new URL(redirectUrl);
  const handler = async (request: Request): Promise<Response> => {
    const target = new URL(request.url);
    if (request.headers.get("host") !== url.host || target.pathname !== url.pathname) {
      return renderPage(pages.unknown);
    }
    if (request.method !== "GET") return renderPage(pages.method);
    const states = target.searchParams.getAll("state");
    if (states.length !== 1 || !equalInConstantTime(states[0] ?? "", state)) return renderPage(pages.foreign);
    if (answer !== undefined || over) return renderPage(pages.again);
    answer = Promise.withResolvers<CallbackPage>();
    resolve({ parameters: target.searchParams, answer: answer.resolve });
    return renderPage(await answer.promise);
  };
  const servers = serveOn(url, handler);
  return {
    redirectUri: redirectUriOf(url, redirectUrl),
    callback: promise,
    async [Symbol.asyncDispose]() {
      over = true;
      answer?.resolve(pages.again);
      await Promise.all(servers.map((server) => server.shutdown()));
    },
  };
}

/** Takes the port on each address that the host name may mean, so that nobody else can receive the code. */
function serveOn(url: URL, handler: Deno.ServeHandler): Deno.HttpServer<Deno.NetAddr>[] {
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  for (const hostname of addressesOf(url.hostname)) {
    try {
      const port = Number(url.port === "" ? 80 : url.port);
      const server = Deno.serve({ hostname, port, onListen: () => {} }, handler);
      servers.push(server);
      url.port = String(server.addr.port);
    } catch (error) {
      // A machine without IPv6 has no ::1; the first address must work.
      if (servers.length > 0 && !(error instanceof Deno.errors.AddrInUse)) continue;
      for (const server of servers) void server.shutdown();
      throw error;
    }
  }
  return servers;
}

function addressesOf(hostname: string): readonly string[] {
  if (hostname === "[::1]") return ["::1"];
  return /^127(\.\d+){3}$/.test(hostname) ? [hostname] : ["127.0.0.1", "::1"];
}

/** As configured to the letter, since servers compare texts; only a port 0 becomes the real one. */
function redirectUriOf(listening: URL, configured: URL): string {
  return configured.port === "0" ? listening.href : configured.href;
}

function cannotListen(url: URL, cause: Error): UserError {
  const port = url.port === "" ? "80" : url.port;
  const taken = cause instanceof Deno.errors.AddrInUse;
  return new UserError(
    `Cannot listen for the login's callback on port ${port}: ${taken ? "it is taken" : cause.message}`,
    {
      hint: taken
        ? `End the program that has port ${port}, or set another redirect URL that the authorization server knows.`
        : "Set a redirect URL with a port above 1023 that the authorization server knows.",
      cause,
    },
  );
}

const pages = {
  unknown: {
    status: 404,
    tone: "bad",
    title: "Nothing is here",
    text: "This address only finishes a login.",
  },
  method: { status: 405, tone: "bad", title: "Not this way", text: "A login is finished with GET." },
  foreign: {
    status: 400,
    tone: "bad",
    title: "This is not the login we wait for",
    text: "Nothing was changed. Go back to the newest login page, or start the login again.",
  },
  again: {
    status: 409,
    tone: "bad",
    title: "This login is over",
    text: "It was finished or given up. You can close this tab.",
  },
} as const satisfies Record<string, CallbackPage>;
