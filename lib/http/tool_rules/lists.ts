/** Takes out of `tools/list` answers what the caller may not see. Everything else passes as it came. */

/** Says whether a tool may be seen. */
export type Visible = (tool: string) => boolean;

/** An event longer than this cannot be a list of tools that anybody reads. */
const maxEventLength = 16_777_216;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The message with only the visible tools in its list; `undefined` when it is no such list or nothing is hidden. */
export function withVisibleTools(text: string, visible: Visible): string | undefined {
  if (!text.includes("tools")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  let hidden = false;
  for (const message of Array.isArray(value) ? value : [value]) {
    const result = isObject(message) ? message.result : undefined;
    if (!isObject(result) || !Array.isArray(result.tools)) continue;
    const tools = result.tools.filter((tool: unknown) =>
      !isObject(tool) || typeof tool.name !== "string" || visible(tool.name)
    );
    hidden ||= tools.length < result.tools.length;
    result.tools = tools;
  }
  return hidden ? JSON.stringify(value) : undefined;
}

/** A JSON answer. */
export function filterJson(body: Uint8Array<ArrayBuffer>, visible: Visible): Uint8Array<ArrayBuffer> {
  const filtered = withVisibleTools(new TextDecoder().decode(body), visible);
  return filtered === undefined ? body : new TextEncoder().encode(filtered);
}

const eventEnd = /\r\n\r\n|\n\n|\r\r/;

/** An event stream: each event is held until it is whole. */
export function filterEvents(
  body: ReadableStream<Uint8Array>,
  visible: Visible,
): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  let held = "";
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        held += decoder.decode(chunk, { stream: true });
        let out = "";
        for (let match = eventEnd.exec(held); match !== null; match = eventEnd.exec(held)) {
          out += filterEvent(held.slice(0, match.index), visible) + match[0];
          held = held.slice(match.index + match[0].length);
        }
        if (held.length > maxEventLength) throw new Error("an event is too long to be looked into");
        if (out !== "") controller.enqueue(encoder.encode(out));
      },
      flush(controller) {
        if (held !== "") controller.enqueue(encoder.encode(filterEvent(held, visible)));
      },
    }),
  );
}

function filterEvent(event: string, visible: Visible): string {
  const lines = event.split(/\r\n|\n|\r/);
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.replace(/^data: ?/, ""));
  const filtered = withVisibleTools(data.join("\n"), visible);
  if (filtered === undefined) return event;
  return [...lines.filter((line) => !line.startsWith("data:")), `data: ${filtered}`].join("\n");
}
