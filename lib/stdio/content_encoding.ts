/** We ask for answers as they are; some servers compress them all the same. */
import { asReadable, isStream } from "../base/byte_stream.ts";
import { headerOf, type UpstreamResponse } from "../upstream/upstream.ts";

const formats: Readonly<Record<string, CompressionFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/** The answer, decompressed when that can be done. */
export function decompressed(response: UpstreamResponse): UpstreamResponse {
  const encoding = headerOf(response.headers, "content-encoding")?.trim().toLowerCase();
  const format = encoding === undefined ? undefined : formats[encoding];
  const { body } = response;
  if (format === undefined || body === null) return response;
  const headers = response.headers.filter(([name]) =>
    name !== "content-encoding" && name !== "content-length"
  );
  const bytes = isStream(body) ? asReadable(body) : ReadableStream.from([body]);
  const plain = bytes.pipeThrough(new DecompressionStream(format) as TransformStream<Uint8Array, Uint8Array>);
  return { ...response, headers, body: plain };
}
