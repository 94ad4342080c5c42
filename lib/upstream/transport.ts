/** How requests get to the upstream's origin. */
import type { HeaderList, UpstreamResponse } from "./upstream.ts";

/** One request to one target. */
export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  readonly bodyLength?: number | undefined;
  /** A second time changes nothing. */
  readonly mayRepeat?: boolean;
}

/** A request under way. */
export interface Sending {
  /** @throws UpstreamError, or the reason given to `cancel` */
  readonly response: Promise<UpstreamResponse>;
  /** Ends the request, and an answer whose body is a stream that has not ended. */
  cancel(reason: Error): void;
}

/** Sends requests to one origin. */
export interface Transport extends Disposable {
  send(request: TransportRequest): Sending;
}

/** Answers with at most this many bytes of known length are read at once. */
export const smallAnswerBytes = 65_536;

/** Header names and values as a list. */
export function headerList(headers: Headers): HeaderList {
  const list: HeaderList = [];
  headers.forEach((value, name) => list.push([name, value]));
  return list;
}
