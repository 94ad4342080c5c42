import type { Caller } from "../oauth/caller.ts";
import type { Settings, Values } from "../base/setting.ts";
import type { HttpClient } from "../base/http_client.ts";
import type { Clock } from "../base/clock.ts";
import type { Counters } from "../base/counters.ts";
import type { Logger } from "../base/log.ts";

/** The credential with which a caller's request goes on to the upstream. */
export interface Outbound {
  /** Header names (lower case) and values to set; what the client sent under these names is always removed first. */
  headers(caller: Caller): OutboundHeaders | Promise<OutboundHeaders>;
  /** Names of headers that this mode owns, so that a client's own can never pass. */
  readonly owns: readonly string[];
  /**
   * The upstream answered 401. Forgets the credential and says whether a second try makes sense; with `false` the
   * client gets 502, or 401 where the credential was the user's own (`userOwned`).
   */
  rejected(caller: Caller): Promise<boolean>;
  /** The credential is the user's, so that a new login may cure a refusal. */
  readonly userOwned: boolean;
}

export type OutboundHeaders = readonly (readonly [name: string, value: string])[];

/** What an outbound mode is made with. */
export interface OutboundContext {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

/** One way of presenting callers to the upstream: a file of its own and a name in `modes.ts`. */
export interface OutboundMode<S extends Settings = Settings, C = unknown> {
  readonly name: string;
  readonly settings: S;
  /** Returns the mode's configuration; adds a line to `problems` for each thing that is missing or wrong. */
  parse(values: Values<S>, problems: string[]): C;
  create(config: C, context: OutboundContext): Outbound | Promise<Outbound>;
}
