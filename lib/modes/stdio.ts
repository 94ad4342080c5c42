/**
 * stdio mode, put together: an MCP client starts the program, which logs the user in and carries the messages.
 *
 *     stdin -> lines -> pump -> upstream (with the user's credentials)
 *     stdout <- lines <-'
 */
import { systemClock } from "../base/clock.ts";
import { openHttpClient } from "../base/http_client.ts";
import { openLog, safeUrl } from "../base/log.ts";
import { proxyRule } from "../base/proxy.ts";
import { version } from "../base/version.ts";
import type { StdioConfig } from "../stdio/config.ts";
import type { Credentials } from "../stdio/credentials.ts";
import { openDump } from "../stdio/dump.ts";
import { lastAnswers } from "../stdio/last_answers.ts";
import { type Ending, watchLife } from "../stdio/life.ts";
import { readLines } from "../stdio/lines.ts";
import { openTransport } from "../stdio/open_transport.ts";
import { openPump } from "../stdio/open_pump.ts";
import { openCredentials } from "../stdio/open_credentials.ts";
import { lineWriter } from "../stdio/stdout.ts";
import { giveBack, keptPermissions } from "./permissions.ts";

/** How long answers under way are waited for when the host has closed stdin. */
const lastAnswersMs = 5_000;
/** How long leaving may take, together less than a second: saying good-bye to the upstream, ending a login. */
const goodbyeMs = 500;
const loginEndMs = 300;

/** Runs until the host is gone; the exit code. @throws UserError when it cannot start */
export async function runStdio(config: StdioConfig): Promise<number> {
  giveBack({ keepRun: config.login.openBrowser });
  const log = openLog(config.log);
  if (log.enabled("debug")) log.debug("permissions_kept", { detail: keptPermissions() });
  using dump = openDump(config.dumpMessagesFile);
  const clock = systemClock;
  const exit = new AbortController();
  const http = openHttpClient(config.http, { log });
  const out = lineWriter(Deno.stdout);
  const credentials = await openCredentials(config, { http, clock, log });
  const { cacheDir, profile } = config.login;
  const answers = lastAnswers({ cacheDir, upstreamUrl: config.upstreamUrl, profile }, log);
  const { isDirect } = proxyRule(config.http);
  using transport = openTransport(config.upstreamUrl, config.headers, { http, httpConfig: config.http, log });
  const pump = openPump(config, {
    transport,
    credentials,
    isDirect,
    out,
    dump,
    answers,
    clock,
    log,
    signal: exit.signal,
  });
  using watch = watchLife({ clock, stdoutBroken: out.broken, onWake: () => pump.upstream.wake() });
  if (config.banner) log.info("stdio_started", { url: safeUrl(config.upstreamUrl), version });

  const drained = pump.run(readLines(Deno.stdin, config.maxLineBytes)).then(() => "stdin_closed" as const);
  let ending: Ending = await Promise.race([watch.ended, drained]);
  if (ending === "stdin_closed") {
    const enough = Promise.race([
      pump.settled(),
      clock.sleep(lastAnswersMs, exit.signal).catch(() => {}),
      untilUserIsNeeded(credentials, exit.signal),
    ]);
    ending = await Promise.race([enough.then(() => ending), watch.ended]);
  }
  log.debug("stdio_ending", { reason: ending });
  const goodbye = AbortSignal.timeout(goodbyeMs);
  await pump.upstream.close(goodbye).catch(() => {});
  exit.abort();
  await Promise.race([credentials[Symbol.asyncDispose](), clock.sleep(loginEndMs)]).catch(() => {});
  return 0;
}

/** Without the host nobody is there to log in: what waits for a user will not be answered. */
async function untilUserIsNeeded(credentials: Credentials, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { state } = credentials.status();
    if (state === "waiting_for_user" || state === "failed") return;
    await credentials.changed(signal).catch(() => {});
  }
}
