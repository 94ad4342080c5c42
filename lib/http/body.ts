/**
 * The request's body. A small one of known length is read at once, which is cheaper than a stream and can be sent a
 * second time; anything else streams through under the size limit.
 */
import { CutShort, Malformed } from "../base/http1/fields.ts";
import { Watch, type Watched } from "../base/watch.ts";
import type { Incoming } from "./incoming.ts";

/** Bodies up to this size are read at once. */
export const smallBodyBytes = 65_536;

/** A body that may not be passed on. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  constructor(readonly why: "too_large" | "too_slow" | "cut" | "bad_length" | "malformed") {
    super(why);
  }
}

/** The limits of a body. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** For each 64 KiB of a body, so that one that trickles in is given up whatever its size; milliseconds, 0: no limit. */
  readonly readTimeoutMs: number;
}

/** What the request's headers say about where its body ends. */
export interface Framing {
  /** `Content-Length` as it stands. */
  readonly contentLength: string | null;
  readonly transferEncoding: boolean;
}

/** Who watches a body that is passed on as it comes. */
export interface PassingBody {
  /** It turned out to break a limit. */
  readonly onRefused: (error: BodyRefused) => void;
  /** Called with each piece, before it goes on. */
  readonly onPiece?: (piece: Uint8Array) => void;
}

/** A body as it goes on. */
export type Body = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

/** Reads bodies under limits. */
export class BodyReader {
  readonly #watch = new Watch(1_000);

  constructor(private readonly limits: BodyLimits) {}

  /**
   * The body of the request. A length that is no number, or that stands beside a transfer encoding, is refused: a
   * server before us may have gone by the other one (RFC 9112 section 6.3).
   * @throws BodyRefused
   */
  read(
    request: Incoming,
    { contentLength: declared, transferEncoding }: Framing,
    passing: PassingBody,
  ): Body | Promise<Body> {
    if (declared === null) {
      const { body } = request;
      return body === null ? null : this.#limited(body, passing);
    }
    if (transferEncoding || !/^\d{1,15}$/.test(declared)) throw new BodyRefused("bad_length");
    const length = Number(declared);
    if (length > this.limits.maxBytes) throw new BodyRefused("too_large");
    if (length === 0) return null;
    if (length <= smallBodyBytes) return request.atHand?.() ?? this.#whole(request);
    return request.body === null ? null : this.#limited(request.body, passing);
  }

  close(): void {
    this.#watch.close();
  }

  #whole(request: Incoming): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      const watched: Watched = {
        look: (ageMs) => {
          if (this.limits.readTimeoutMs > 0 && ageMs >= this.limits.readTimeoutMs) {
            this.#watch.leave(watched);
            reject(new BodyRefused("too_slow"));
          }
        },
      };
      this.#watch.enter(watched);
      request.bytes().then((bytes) => {
        this.#watch.leave(watched);
        resolve(bytes);
      }, () => {
        this.#watch.leave(watched);
        reject(new BodyRefused("cut"));
      });
    });
  }

  #limited(
    body: ReadableStream<Uint8Array>,
    { onRefused, onPiece }: PassingBody,
  ): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const pace = new Pace(this.limits.readTimeoutMs);
    let left = this.limits.maxBytes;
    /** Refused, or no longer wanted: a read that was under way then ends as well, and says nothing any more. */
    let over = false;
    const refuse = (why: BodyRefused["why"]) => {
      over = true;
      const error = new BodyRefused(why);
      onRefused(error);
      reader.cancel(error).catch(() => {});
      return error;
    };
    return new ReadableStream<Uint8Array>({
      pull: (controller) =>
        new Promise<void>((resolve) => {
          const done = () => {
            this.#watch.leave(watched);
            resolve();
          };
          const watched: Watched = {
            look: () => {
              if (!pace.tooSlow) return;
              controller.error(refuse("too_slow"));
              done();
            },
          };
          this.#watch.enter(watched);
          pace.waits();
          reader.read().then((piece) => {
            if (over) return;
            pace.got(piece.value?.byteLength ?? 0);
            if (piece.done) controller.close();
            else {
              left -= piece.value.byteLength;
              if (left < 0) controller.error(refuse("too_large"));
              else {
                onPiece?.(piece.value);
                controller.enqueue(piece.value);
              }
            }
          }, (error: unknown) => {
            const malformed = error instanceof Malformed && !(error instanceof CutShort);
            if (!over) controller.error(refuse(malformed ? "malformed" : "cut"));
          }).then(done);
        }),
      cancel: (reason) => {
        over = true;
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }
}

/** How long we have waited for the client; the time that the upstream takes to read is not the client's. */
class Pace {
  #waitedMs = 0;
  #sinceMs = 0;
  #bytes = 0;

  /** `limitMs` for each `smallBodyBytes`; 0: no limit. */
  constructor(private readonly limitMs: number) {}

  waits(): void {
    this.#sinceMs = performance.now();
  }

  got(bytes: number): void {
    this.#waitedMs += performance.now() - this.#sinceMs;
    this.#bytes += bytes;
    if (this.#bytes < smallBodyBytes) return;
    this.#bytes = 0;
    this.#waitedMs = 0;
  }

  get tooSlow(): boolean {
    return this.limitMs > 0 && this.#waitedMs + performance.now() - this.#sinceMs >= this.limitMs;
  }
}
