/**
 * One stdio process as far as logging in goes, for tests with several of them. The argument is JSON; each line on
 * stdin asks for the headers once and is answered with a line: the bearer token or the error.
 */
import { openHttpClient } from "../../lib/base/http_client.ts";
import { openLog } from "../../lib/base/log.ts";
import { openCredentials } from "../../lib/stdio/open_credentials.ts";
import { stdioConfig } from "./login_setup.ts";

/** What the program is told. */
export interface ProgramOptions {
  readonly cacheDir: string;
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly redirectUrl: string;
  readonly upstreamUrl?: string;
  readonly browser?: string;
}

if (import.meta.main) {
  const { upstreamUrl, redirectUrl, browser, ...login } = JSON.parse(Deno.args[0] ?? "{}") as ProgramOptions;
  const config = stdioConfig(login.cacheDir, {
    ...login,
    redirectUrl: new URL(redirectUrl),
    openBrowser: browser !== undefined,
    ...(browser === undefined ? {} : { browser }),
  }, upstreamUrl === undefined ? {} : { upstreamUrl: new URL(upstreamUrl) });
  const log = openLog({ level: "debug", format: "text" });
  const credentials = await openCredentials(config, { http: openHttpClient(), log });
  const signal = AbortSignal.timeout(60_000);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    for (const _line of text.trimEnd().split("\n")) {
      const answer = credentials.headers(signal).then(
        ({ list }) => list.find(([name]) => name === "authorization")?.[1] ?? "none",
        (error) => `error ${error.message}`,
      );
      void answer.then((line) => console.log(line));
    }
  }
  Deno.exit(0);
}
