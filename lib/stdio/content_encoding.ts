/** We ask for answers as they are; some servers compress them all the same. */

const formats: Readonly<Record<string, CompressionFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/** The answer, decompressed when that can be done. */
export function decompressed(response: Response): Response {
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase();
  const format = encoding === undefined ? undefined : formats[encoding];
  if (format === undefined || response.body === null) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  const { status, statusText } = response;
  const body = response.body.pipeThrough(new DecompressionStream(format));
  return new Response(body, { status, statusText, headers });
}
