/** Bytes to lines of text, without their ends. */
export function textLines(): TransformStream<Uint8Array<ArrayBuffer>, string> {
  const decoder = new TextDecoder();
  let rest = "";
  return new TransformStream({
    transform(bytes, controller) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part.endsWith("\r") ? part.slice(0, -1) : part);
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(rest);
    },
  });
}
