import type { Caller } from "../oauth/caller.ts";
import { utf8HeaderValue } from "../outbound/header_value.ts";
import type { HeaderList } from "../upstream/upstream.ts";

/** The headers that tell the upstream who calls; a client's own never pass. */
export const identityHeaderNames = ["x-user-sub", "x-user-email", "x-user-groups"] as const;

const made = new WeakMap<Caller, HeaderList>();

/**
 * Subject, e-mail (even when empty) and groups joined by commas (left out when there are none). Text beyond ASCII goes
 * as UTF-8 bytes.
 */
export function identityHeaders(caller: Caller): HeaderList {
  let headers = made.get(caller);
  if (headers === undefined) {
    headers = [
      ["x-user-sub", utf8HeaderValue(caller.subject)],
      ["x-user-email", utf8HeaderValue(caller.email ?? "")],
    ];
    // A comma inside a group would make two of it.
    const groups = caller.groups.filter((group) => group !== "" && !group.includes(","));
    if (groups.length > 0) headers.push(["x-user-groups", groups.map(utf8HeaderValue).join(",")]);
    made.set(caller, headers);
  }
  return headers;
}
