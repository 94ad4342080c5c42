/**
 * The certificate of those who have no edge, and its renewal:
 *
 *     every few seconds: files changed? -> both read, and do they belong together? -> new connections get them
 *                                       `-> a line in the log, and the old ones stay (a renewal may be half written)
 */
import type { Clock } from "../base/clock.ts";
import type { Counters } from "../base/counters.ts";
import { describeError, UserError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { RenewableListening, Tls } from "./serve.ts";

/** Where certificate and key are. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Reading two small files costs nothing, and it sees every way of replacing them, links and mounts included. */
const lookEveryMs = 5_000;

/** Reads certificate and key. @throws UserError when one cannot be read */
export async function readTls({ certFile, keyFile }: TlsFiles): Promise<Tls> {
  const [cert, key] = await Promise.all([
    readPem(certFile, "certificate", /-----BEGIN CERTIFICATE-----/),
    readPem(keyFile, "key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/),
  ]);
  return { cert, key };
}

/** What a renewal is done with. */
export interface TlsRenewal {
  readonly files: TlsFiles;
  /** What is in use. */
  readonly tls: Tls;
  readonly server: Pick<RenewableListening, "renew">;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Takes over what changes on disk, until the signal. */
export async function renewOnChange(
  { files, tls, server, clock, counters, log, signal }: TlsRenewal,
): Promise<void> {
  let seen = tls;
  let complained = "";
  while (!signal.aborted) {
    await clock.sleep(lookEveryMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const now = await readTls(files);
      complained = "";
      if (now.cert === seen.cert && now.key === seen.key) continue;
      seen = now;
      server.renew(now);
      counters.add("mcp_doorman_tls_reloads_total", { outcome: "ok" });
      log.info("tls_certificate_renewed", { file: files.certFile });
    } catch (error) {
      const cause = describeError(error);
      if (cause === complained) continue;
      complained = cause;
      counters.add("mcp_doorman_tls_reloads_total", { outcome: "failed" });
      log.error("tls_certificate_unusable", {
        file: files.certFile,
        cause,
        hint: "the old one stays in use until both files are good",
      });
    }
  }
}

async function readPem(file: string, what: string, marker: RegExp): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw new UserError(`Cannot read the TLS ${what} "${file}": ${describeError(cause)}`, { cause });
  }
  if (!marker.test(text)) throw new UserError(`Cannot use the TLS ${what} "${file}": it is not PEM`);
  return text;
}
