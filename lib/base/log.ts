/**
 * The rules of the log: one line per event, always on stderr (in stdio mode stdout belongs to MCP; in http mode
 * nobody reads stdout). An event is a snake_case word; what goes with it is named in `Fields`, which is the
 * allow-list: a name that is not there cannot be logged. Tokens, codes, states, verifiers, cookies, secrets and query
 * strings have no name here. Text from outside is cut and stripped of control characters.
 */
import { GatheredLines } from "./gathered_lines.ts";
import { jsonLine, textLine } from "./log_line.ts";

/** From most to least talkative. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** Everything that may stand beside an event. Add a name only for something that is never secret. */
export interface Fields {
  address?: string;
  attempt?: number;
  audience?: string;
  builder?: string;
  cause?: string;
  client?: string;
  clientName?: string;
  code?: string;
  commit?: string;
  count?: number;
  date?: string;
  detail?: string;
  durationMs?: number;
  email?: string;
  endpoint?: string;
  expiresAt?: string;
  family?: string;
  file?: string;
  grant?: string;
  groups?: string;
  hint?: string;
  host?: string;
  id?: string;
  issuer?: string;
  key?: string;
  kind?: string;
  method?: string;
  mode?: string;
  origin?: string;
  path?: string;
  pid?: number;
  port?: number;
  provider?: string;
  purpose?: string;
  reason?: string;
  requestBytes?: number;
  requestId?: string;
  resource?: string;
  responseBytes?: number;
  route?: string;
  routes?: string;
  rpcId?: string;
  rpcMethod?: string;
  rpcTool?: string;
  runtime?: string;
  scopes?: string;
  setting?: string;
  status?: number;
  subject?: string;
  trace?: string;
  upstreamStatus?: number;
  url?: string;
  userAgent?: string;
  value?: string | number | boolean;
  version?: string;
  waitMs?: number;
}

/** What the rest of the program logs with. */
export interface Logger {
  trace(event: string, fields?: Fields): void;
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** `info` for what happens with every request: such lines are written together, a moment later. */
  frequent?(event: string, fields?: Fields): void;
  /** Whether a line of this level would be written; for what is costly to prepare. */
  enabled(level: LogLevel): boolean;
  /** A logger that adds these fields to every line. */
  with(fields: Fields): Logger;
}

/** How and where lines are written. */
export interface LogConfig {
  readonly level: LogLevel;
  /** `auto`: text on a terminal, JSON elsewhere. */
  readonly format: "auto" | "json" | "text";
  /** Lines go to this file as well (append). */
  readonly file?: string;
}

/** What a mode adds. */
export interface LogExtras {
  /** For tests: where lines go instead. */
  readonly write?: (line: string) => void;
  /** What every line gets that is written while a request is answered. */
  readonly context?: () => Fields | undefined;
  /** Stands in for subjects and e-mail addresses, in every line. */
  readonly pseudonym?: (text: string) => string;
}

/** An address without what may be secret in it: user information, query and fragment. */
export function safeUrl(url: string | URL): string {
  if (!URL.canParse(url)) return "(not a URL)";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** What a line has that is written beside others' fields, with pseudonyms where they are wanted. */
function merged(pseudonym: LogExtras["pseudonym"], ...parts: readonly (Fields | undefined)[]): LineFields {
  const all: Fields = Object.assign({}, ...parts);
  if (pseudonym === undefined) return all as LineFields;
  if (all.subject !== undefined) all.subject = pseudonym(all.subject);
  if (all.email !== undefined) all.email = pseudonym(all.email);
  return all as LineFields;
}

type LineFields = Record<string, unknown>;

const order: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** Opens the program's log; called once, by the mode that runs. */
export function openLog(config: LogConfig, extras: LogExtras = {}): Logger {
  const format = config.format === "auto" ? (Deno.stderr.isTerminal() ? "text" : "json") : config.format;
  const line = format === "json" ? jsonLine : textLine;
  const encoder = new TextEncoder();
  const file = config.file === undefined
    ? undefined
    : Deno.openSync(config.file, { append: true, create: true, mode: 0o600 });
  const emit = extras.write ?? ((lines: string) => {
    const bytes = encoder.encode(lines);
    writeAll(Deno.stderr, bytes);
    if (file !== undefined) writeAll(file, bytes);
  });
  const gathered = new GatheredLines(emit);
  const write = (level: LogLevel, event: string, fields: LineFields) => {
    gathered.flush();
    emit(line({ timestamp: Date.now(), level, event, fields }) + "\n");
  };
  const gather = (event: string, fields: LineFields) =>
    gathered.add(line({ timestamp: Date.now(), level: "info", event, fields }));
  return wrap({ level: config.level, extras, write, gather }, {});
}

/** A log that writes nothing. */
export const silentLog: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  enabled: () => false,
  with: () => silentLog,
};

interface Wrapping {
  readonly level: LogLevel;
  readonly extras: LogExtras;
  readonly write: (level: LogLevel, event: string, fields: LineFields) => void;
  readonly gather: (event: string, fields: LineFields) => void;
}

function wrap(wrapping: Wrapping, base: Fields): Logger {
  const { level, write, gather, extras: { context, pseudonym } } = wrapping;
  const lowest = order.indexOf(level);
  const at = (of: LogLevel, take: (event: string, fields: LineFields) => void) => {
    if (order.indexOf(of) < lowest) return () => {};
    return (event: string, fields?: Fields) => take(event, merged(pseudonym, base, context?.(), fields));
  };
  const writing = (of: LogLevel) => at(of, (event, fields) => write(of, event, fields));
  return {
    trace: writing("trace"),
    debug: writing("debug"),
    info: writing("info"),
    warn: writing("warn"),
    error: writing("error"),
    frequent: at("info", gather),
    enabled: (of) => order.indexOf(of) >= lowest,
    with: (fields) => wrap(wrapping, { ...base, ...fields }),
  };
}

/** Logging never ends the program: a closed or full stderr is ignored. */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
  } catch {
    // Nobody is there to read it.
  }
}
