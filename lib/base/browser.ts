/**
 * Opening the user's browser. The address may come from a hostile server, so it is parsed, judged and written out
 * anew before anything sees it, and it reaches a program as one argument, never a shell.
 */
import { UserError } from "./errors.ts";
import { isLoopbackHost } from "./proxy.ts";

/**
 * The address as it may be given to a browser or asked for a token: https, or http on this machine, nobody's name in
 * it, no fragment. @throws UserError that says which rule was broken.
 */
export function safeHttpUrl(text: string, what: string): URL {
  const refuse = (why: string): never => {
    throw new UserError(`Cannot use the ${what}: ${why}`, {
      hint: "The server's metadata is wrong or hostile; ask whoever runs it.",
    });
  };
  if (!URL.canParse(text)) return refuse("it is not a URL");
  const url = new URL(text);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackHost(url.hostname))) {
    refuse(`${url.protocol}//${url.host} is neither https nor http on this machine`);
  }
  // The URL parser lets quotes, backticks and dollars stand in a host; no name on the network has them.
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/.test(url.hostname)) refuse("its host is no name");
  if (url.username !== "" || url.password !== "") refuse("it carries a user name");
  if (url.hash !== "") refuse("it carries a fragment");
  return url;
}

/** How to open a browser. */
export interface BrowserOptions {
  /** The value of `BROWSER`: programs separated by colons (not on Windows), each with `%s` for the address or none. */
  readonly command?: string;
}

/** Asks for the page to be shown and says whether a program could be started; whether anybody sees it is unknown. */
export async function openBrowser(address: URL, options: BrowserOptions = {}): Promise<boolean> {
  const url = safeHttpUrl(address.href, "address for the browser").href;
  if (options.command) {
    const programs = Deno.build.os === "windows" ? [options.command] : options.command.split(":");
    return programs.some((program) => start(program, url));
  }
  if (isPlainLinux()) return start("xdg-open", url);
  try {
    const { default: open } = await import("open");
    await open(url);
    return true;
  } catch {
    return false;
  }
}

function start(program: string, url: string): boolean {
  const [command, ...args] = exists(program) ? [program] : program.trim().split(/\s+/);
  if (!command) return false;
  const filled = args.map((arg) => arg.replaceAll("%s", () => url));
  if (!args.some((arg) => arg.includes("%s"))) filled.push(url);
  try {
    new Deno.Command(command, { args: filled, stdin: "null", stdout: "null", stderr: "null" }).spawn()
      .unref();
    return true;
  } catch {
    return false;
  }
}

/**
 * Where the package `open` is not asked: it brings an `xdg-open` that a compiled program cannot start, and where there
 * is none its error ends the process. WSL has a way of its own, which it knows.
 */
function isPlainLinux(): boolean {
  return Deno.build.os === "linux" && !/microsoft/i.test(Deno.osRelease());
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
