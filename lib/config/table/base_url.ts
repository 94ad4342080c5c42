/** The URL under which clients know the server. Its name says which mode and which defaults are meant. */
import { url } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";

/** The heading of all that is about addresses. */
export const addressGroup = "Address (http mode)";

export const baseUrlSettings = {
  baseUrl: {
    kind: url,
    env: "MCP_PROXY_BASE_URL",
    flag: "proxy-base-url",
    mode: "http",
    group: addressGroup,
    help: "The public URL under which clients reach us, with authsome-mcp-proxy's defaults",
  },
  babsBaseUrl: {
    kind: url,
    env: "PROXY_BASE_URL",
    flag: "babs-base-url",
    mode: "http",
    group: addressGroup,
    help: "The same, with the defaults of babs/mcp-auth-proxy",
  },
  resourceUrl: {
    kind: url,
    env: "RESOURCE_URL",
    flag: "resource-url",
    mode: "http",
    group: addressGroup,
    help: "The same, with the defaults of allardy/mcp-oauth-proxy",
  },
} satisfies Settings;
