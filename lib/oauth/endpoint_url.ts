/** Which URLs of another party's metadata may be used at all. */
import { isLoopbackHost } from "../base/proxy.ts";

/**
 * An endpoint that secrets may be sent to or a browser be sent to: https, or http on loopback (RFC 8252
 * section 7.3), without user information and fragment. `undefined` for anything else.
 */
export function endpointUrl(
  text: string | undefined,
  options: { allowHttp?: boolean } = {},
): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secure = url.protocol === "https:" ||
    (url.protocol === "http:" && (options.allowHttp === true || isLoopbackHost(url.hostname)));
  return secure && url.username === "" && url.password === "" && url.hash === "" ? url : undefined;
}
