/** Puts a pump and its upstream together. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { Watch } from "../base/watch.ts";
import { build, programName } from "../base/version.ts";
import type { Transport } from "../upstream/transport.ts";
import { authorizedFetch } from "./authorized_fetch.ts";
import type { StdioConfig } from "./config.ts";
import type { Credentials } from "./credentials.ts";
import type { MessageDump } from "./dump.ts";
import { EarlyAnswer } from "./early_answer.ts";
import type { LastAnswers } from "./last_answers.ts";
import { Pump } from "./pump.ts";
import { isReachable, shared } from "./reachable.ts";
import { Session } from "./session.ts";
import type { LineWriter } from "./stdout.ts";
import { AnyUpstream } from "./choose_upstream.ts";

/** What of the configuration concerns carrying messages. */
export type PumpConfig = Pick<
  StdioConfig,
  "upstreamUrl" | "identity" | "connectTimeoutMs" | "maxLineBytes" | "firstAnswerTimeoutMs"
>;

/** What a pump is made of. */
export interface OpenPumpParts {
  /** To the upstream's origin. */
  readonly transport: Transport;
  readonly credentials: Credentials;
  /** Whether this address is reached without a proxy. */
  readonly isDirect: (url: URL) => boolean;
  readonly out: LineWriter;
  readonly dump: MessageDump;
  readonly answers: LastAnswers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends everything at exit. */
  readonly signal: AbortSignal;
}

/** How long a request waits for a login before it is answered with an error. */
const loginWaitMs = 25_000;

/** How exactly time limits are kept. */
const lookEveryMs = 200;

/** A pump, ready to be given lines. */
export function openPump(config: PumpConfig, parts: OpenPumpParts): Pump {
  const { transport, credentials, out, dump, clock, log, signal } = parts;
  const { upstreamUrl: url, identity, maxLineBytes, connectTimeoutMs } = config;
  const userAgent = `${programName}/${build.version}`;
  const watch = new Watch(lookEveryMs);
  signal.addEventListener("abort", () => watch.close(), { once: true });
  const { isDirect } = parts;
  const fetch = authorizedFetch({ transport, isDirect, watch, credentials, userAgent, loginWaitMs });
  const look = () => isDirect(url) ? isReachable(url) : Promise.resolve(true);
  const session = new Session();
  const remote = { url, fetch, session, clock, log, signal, connectTimeoutMs, isReachable: shared(look) };
  const { firstAnswerTimeoutMs } = config;
  const early = { credentials, answers: parts.answers, clock, log, firstAnswerTimeoutMs, signal };
  return new Pump(
    { out, url, identity, maxLineBytes, dump, log, signal },
    (host) => new EarlyAnswer(early, host, (inner) => new AnyUpstream(remote, inner)),
  );
}
