import { text } from "../base/kinds.ts";
import { isCredentialHeaderName, isHeaderValue } from "./header_value.ts";
import type { OutboundMode } from "./outbound.ts";

const settings = {
  headerName: {
    kind: text,
    env: "OUTBOUND_HEADER_NAME",
    flag: "outbound-header-name",
    default: "Authorization",
    mode: "http",
    group: "Outbound",
    help: "Header that outbound `static` and `per-user-header` set",
  },
  headerValue: {
    kind: text,
    env: "OUTBOUND_HEADER_VALUE",
    flag: "outbound-header-value",
    envAliases: ["UPSTREAM_AUTHORIZATION_HEADER"],
    secret: true,
    mode: "http",
    group: "Outbound",
    help: "Its value, sent as it is to the upstream with every request",
  },
} as const;

/** What `static` sends. */
export interface StaticConfig {
  readonly name: string;
  readonly value: string;
}

/** One header with one value for every caller. */
export const staticHeader: OutboundMode<typeof settings, StaticConfig> = {
  name: "static",
  settings,
  parse(values, problems) {
    const { headerName, headerValue } = values;
    if (headerValue === undefined) {
      problems.push("OUTBOUND_HEADER_VALUE (--outbound-header-value) is missing: outbound static needs it");
    } else if (!isHeaderValue(headerValue)) {
      problems.push("OUTBOUND_HEADER_VALUE is not a header value: expected printable ASCII on one line");
    }
    if (!isCredentialHeaderName(headerName)) {
      problems.push(`OUTBOUND_HEADER_NAME is "${headerName}": expected the name of a header for credentials`);
    }
    return { name: headerName.toLowerCase(), value: headerValue ?? "" };
  },
  create: ({ name, value }) => {
    const headers = [[name, value]] as const;
    return {
      headers: () => headers,
      owns: [name],
      rejected: () => Promise.resolve(false),
      userOwned: false,
    };
  },
};
