/** One hostile connection: bytes out as they stand, bytes in as they come. */

/** What came back on one connection. */
export interface RawAnswer {
  /** Status of the first answer; 0 when the connection was closed without one. */
  readonly status: number;
  /** Everything up to the end of the connection, or to the time limit. */
  readonly text: string;
}

/**
 * Sends text (each character one byte) and reads until the other side closes, or is silent for a while: for
 * `patienceMs` before its first byte, for `silenceMs` after it. `trickle` is sent again every 200 ms until then.
 */
export async function sendRaw(
  port: number,
  text: string,
  { silenceMs = 400, patienceMs = 3_000, trickle }: {
    silenceMs?: number;
    patienceMs?: number;
    trickle?: string | undefined;
  } = {},
): Promise<RawAnswer> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  let got = "";
  const more = trickle === undefined ? undefined : setInterval(() => {
    conn.write(new TextEncoder().encode(trickle)).catch(() => {});
  }, 200);
  const buffer = new Uint8Array(65_536);
  while (true) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, got === "" ? patienceMs : silenceMs, null);
    });
    const reading = conn.read(buffer).catch(() => null);
    const count = await Promise.race([reading, silence]);
    clearTimeout(timer);
    clearInterval(more);
    if (count === null) break;
    got += String.fromCharCode(...buffer.subarray(0, count));
    if (/\r\n\r\n/.test(got) && complete(got)) break;
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(got)?.[1] ?? 0), text: got };
}

/** Whether the first answer is complete by its content length. */
function complete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n") + 4;
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length - end >= Number(length);
}

/** The text of a request with a token, by its request line and further header lines. */
export function rawRequest(line: string, headers: readonly string[] = [], body = ""): string {
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : ["Host: 127.0.0.1"];
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return [line, ...host, ...length, ...headers, "", body].join("\r\n");
}
