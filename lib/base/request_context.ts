/**
 * The request that is being answered, known to whatever is called on its way: log lines get its id by themselves. For
 * endpoints of our own only; the message path does without, since it writes one line at the end.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** What is known about the request, and what its line in the log is to say. */
export interface RequestContext {
  readonly requestId: string;
  /** Set by whoever refuses it. */
  reason?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Does the work as part of a request. */
export function inRequest<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The request that the caller works for; `undefined` outside of one. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}
