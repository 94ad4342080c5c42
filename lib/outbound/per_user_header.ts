import { text } from "../base/kinds.ts";
import type { Caller } from "../oauth/caller.ts";
import { OAuthError } from "../oauth/errors.ts";
import { isCredentialHeaderName, utf8HeaderValue } from "./header_value.ts";
import { fillHeaderTemplate, type HeaderTemplate, parseHeaderTemplate } from "./header_template.ts";
import type { OutboundHeaders, OutboundMode } from "./outbound.ts";
import { staticHeader } from "./static.ts";

const settings = {
  headerName: staticHeader.settings.headerName,
  template: {
    kind: text,
    env: "OUTBOUND_HEADER_TEMPLATE",
    flag: "outbound-header-template",
    mode: "http",
    group: "Outbound",
    help: "Value of the header that outbound `per-user-header` sets, with claims in braces such as {email}",
  },
} as const;

/** What `per-user-header` sends. */
export interface PerUserHeaderConfig {
  readonly name: string;
  readonly template: HeaderTemplate;
}

/**
 * One header made of the caller's verified claims, for an upstream that trusts this proxy to name the user. Fails
 * closed: whoever lacks a claim that the header needs is not let through.
 */
export const perUserHeader: OutboundMode<typeof settings, PerUserHeaderConfig> = {
  name: "per-user-header",
  settings,
  parse({ headerName, template }, problems) {
    const parsed = template === undefined ? undefined : parseHeaderTemplate(template);
    if (template === undefined) {
      problems.push("OUTBOUND_HEADER_TEMPLATE is missing: outbound per-user-header needs it");
    } else if (parsed === undefined) {
      problems.push(
        `OUTBOUND_HEADER_TEMPLATE is "${template}": expected text with a claim in braces, such as {email}`,
      );
    }
    if (!isCredentialHeaderName(headerName)) {
      problems.push(`OUTBOUND_HEADER_NAME is "${headerName}": expected the name of a header for credentials`);
    }
    return { name: headerName.toLowerCase(), template: parsed ?? [] };
  },
  create({ name, template }, { log }) {
    const made = new WeakMap<Caller, OutboundHeaders>();
    return {
      headers(caller) {
        let headers = made.get(caller);
        if (headers === undefined) {
          const value = fillHeaderTemplate(template, caller.claims);
          if (typeof value !== "string") {
            log.warn("outbound_claim_missing", {
              key: value.claim,
              reason: value.reason,
              subject: caller.subject,
            });
            throw new OAuthError("access_denied", "The login lacks what the server behind needs to know", {
              status: 403,
              reason: `claim_${value.reason}`,
            });
          }
          headers = [[name, utf8HeaderValue(value)]];
          made.set(caller, headers);
        }
        return headers;
      },
      owns: [name],
      rejected: () => Promise.resolve(false),
      userOwned: false,
    };
  },
};
