/** Messages of a child on their way to one client as server-sent events. */

const encoder = new TextEncoder();
/** With more than this waiting, the child is not read until the client has caught up. */
const highWaterBytes = 4_194_304;

/** One event stream, open until it is closed or the client is gone. */
export class EventSink {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #caughtUp = Promise.withResolvers<void>();

  /** `onClosed` is called once, whoever closes it. */
  constructor(private readonly onClosed: () => void) {
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#caughtUp.resolve(),
      cancel: () => this.#over(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: highWaterBytes }));
  }

  get open(): boolean {
    return this.#controller !== undefined;
  }

  /** Passes a message on; resolves when there is room for another. */
  push(message: string): void | Promise<void> {
    const controller = this.#controller;
    if (controller === undefined) return;
    controller.enqueue(encoder.encode(`event: message\ndata: ${message}\n\n`));
    if ((controller.desiredSize ?? 1) > 0) return;
    this.#caughtUp = Promise.withResolvers<void>();
    return this.#caughtUp.promise;
  }

  close(): void {
    this.#controller?.close();
    this.#over();
  }

  #over(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#caughtUp.resolve();
    this.onClosed();
  }
}
