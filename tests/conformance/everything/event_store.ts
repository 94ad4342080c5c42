import type { EventStore } from "@modelcontextprotocol/server";

/** Keeps every event of a session, so that a stream can be resumed with `Last-Event-ID`. */
export function eventStore(): EventStore {
  const events: { streamId: string; message: Parameters<EventStore["storeEvent"]>[1] }[] = [];
  return {
    storeEvent(streamId, message) {
      events.push({ streamId, message });
      return Promise.resolve(String(events.length));
    },
    getStreamIdForEventId(eventId) {
      return Promise.resolve(events[Number(eventId) - 1]?.streamId);
    },
    async replayEventsAfter(lastEventId, { send }) {
      const streamId = events[Number(lastEventId) - 1]?.streamId ?? "";
      for (let index = Number(lastEventId); index < events.length; index++) {
        const event = events[index];
        // An empty message is the mark that a stream begins with; it carries nothing.
        if (event === undefined || event.streamId !== streamId || !("jsonrpc" in event.message)) continue;
        await send(String(index + 1), event.message);
      }
      return streamId;
    },
  };
}
