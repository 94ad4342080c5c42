/** The pump as a transport of the SDK's clients, of either version, and recorders for what passes. */
import { startPump, type TestPump } from "./pump.ts";

// deno-lint-ignore no-explicit-any -- the two SDKs have types of their own for the same thing
type Message = any;

/** What both SDKs ask of a transport. */
export interface AnyTransport {
  start(): Promise<void>;
  send(message: Message, options?: Message): Promise<void>;
  close(): Promise<void>;
  onmessage?: (message: Message, extra?: Message) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
}

/** A transport through a pump to `url`. */
export function pumpTransport(url: string): AnyTransport {
  let pump: TestPump | undefined;
  const transport: AnyTransport = {
    start() {
      pump = startPump(url);
      pump.onMessage = (message) => transport.onmessage?.(message);
      return Promise.resolve();
    },
    send(message) {
      pump?.send(message);
      return Promise.resolve();
    },
    async close() {
      await pump?.[Symbol.asyncDispose]();
      transport.onclose?.();
    },
  };
  return transport;
}

/** Notes what a client says and hears, step by step. */
export interface Transcript {
  /** Names the step that begins. */
  step(name: string): void;
  /** Every message as text; those that a step heard are sorted, since streams have no common order. */
  lines(): string[];
  /** Waits until this method, or any other text of a message, has been heard in this step. */
  heard(text: string): Promise<void>;
  count(): number;
}

/** Records what passes through `transport`. */
export function recordTranscript(transport: AnyTransport): Transcript {
  const steps: { name: string; said: string[]; heard: string[] }[] = [{
    name: "connect",
    said: [],
    heard: [],
  }];
  const current = () => steps[steps.length - 1] as (typeof steps)[number];
  const listeners = new Set<() => void>();
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    current().said.push(canonical(message));
    return send(message, options);
  };
  let onmessage: AnyTransport["onmessage"];
  const recording = new WeakSet<NonNullable<AnyTransport["onmessage"]>>();
  Object.defineProperty(transport, "onmessage", {
    configurable: true,
    get: () => onmessage,
    // Clients put a handler aside and back again: undefined and one that records already stay as they are.
    set: (handler: AnyTransport["onmessage"]) => {
      if (handler === undefined || recording.has(handler)) return void (onmessage = handler);
      onmessage = (message, extra) => {
        current().heard.push(canonical(message));
        for (const listener of listeners) listener();
        handler(message, extra);
      };
      recording.add(onmessage);
    },
  });
  return {
    step: (name) => void steps.push({ name, said: [], heard: [] }),
    lines: () =>
      steps.flatMap(({ name, said, heard }) => [
        `# ${name}`,
        ...said.map((text) => `> ${text}`),
        ...heard.toSorted().map((text) => `< ${text}`),
      ]),
    heard(wanted) {
      return new Promise((resolve) => {
        const look = () => {
          if (!current().heard.some((text) => text.includes(`"${wanted}"`))) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      });
    },
    count: () => steps.reduce((sum, { said, heard }) => sum + said.length + heard.length, 0),
  };
}

/** With sorted members: the SDK's own HTTP transports rebuild what they read in another order. */
function canonical(message: Message): string {
  return JSON.stringify(
    message,
    (_, value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
  );
}
