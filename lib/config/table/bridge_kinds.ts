/** Kinds that only the settings of our own authorization server have. */
import { kind } from "../../base/kinds.ts";
import type { Kind } from "../../base/setting.ts";
import type { StaticClient } from "../../inbound/config.ts";

/** `redis://` or `rediss://`, with a host. */
export const redisUrl: Kind<string> = kind("URL", (value) => {
  const parsed = /^rediss?:\/\//i.test(value.trim()) && URL.canParse(value.trim())
    ? new URL(value.trim())
    : undefined;
  if (parsed === undefined || parsed.hostname === "") throw new Error("a redis:// or rediss:// URL");
  return value.trim();
});

/** Printable ASCII without braces, which Redis Cluster would read as a hash tag. */
export const keyPrefix: Kind<string> = kind("TEXT", (value) => {
  const at = [...value].findIndex((char) => !/[\x20-\x7e]/.test(char) || char === "{" || char === "}");
  if (at >= 0) throw new Error(`printable ASCII without { and } (see character ${at + 1})`);
  return value;
});

/** Host names between commas, or `*`. A leading `*.` stands for any subdomain. */
export const originHosts: Kind<readonly string[]> = kind("HOST,…", (value) => {
  const entries = value.split(",").map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== "");
  for (const entry of entries) {
    const host = entry.replace(/^\*\./, "");
    if (entry !== "*" && !/^[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/.test(host)) {
      throw new Error(`host names such as app.example.com (not "${entry}")`);
    }
  }
  return entries;
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON array of clients, with the member names of RFC 7591. */
export const staticClients: Kind<readonly StaticClient[]> = kind("JSON", (value) => {
  const expected = new Error("a JSON array of objects with client_id and redirect_uris");
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    throw expected;
  }
  if (!Array.isArray(list)) throw expected;
  return list.map((entry: unknown): StaticClient => {
    if (!isRecord(entry)) throw expected;
    const { client_id: clientId, client_secret: clientSecret, client_name: name } = entry;
    const redirectUris = entry.redirect_uris;
    const good = typeof clientId === "string" && clientId !== "" &&
      (clientSecret === undefined || (typeof clientSecret === "string" && clientSecret !== "")) &&
      (name === undefined || typeof name === "string") && Array.isArray(redirectUris) &&
      redirectUris.length > 0 && redirectUris.every((uri) => typeof uri === "string" && URL.canParse(uri));
    if (!good) throw expected;
    return {
      clientId,
      redirectUris,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(name === undefined ? {} : { name }),
    };
  });
});
