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

/** Grants without a user at a browser. */
const machineGrantTypes = ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"];

/** A JSON array of clients, with the member names of RFC 7591. */
export const staticClients: Kind<readonly StaticClient[]> = kind("JSON", (value) => {
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    list = undefined;
  }
  const clients = Array.isArray(list) ? list.map(readClient) : [undefined];
  const good = clients.filter((client) => client !== undefined);
  if (good.length < clients.length) {
    throw new Error(
      "a JSON array of objects with client_id and redirect_uris, or with client_id, grant_types and a secret or jwks",
    );
  }
  return good;
});

function readClient(entry: unknown): StaticClient | undefined {
  if (!isRecord(entry)) return undefined;
  const { client_id: clientId, client_secret: secret, client_name: name, jwks, scope } = entry;
  const { redirect_uris: uris = [], grant_types: grants = [] } = entry;
  const isText = (text: unknown) => text === undefined || (typeof text === "string" && text !== "");
  const isList = (of: unknown, test: (item: string) => boolean): of is string[] =>
    Array.isArray(of) && of.every((item) => typeof item === "string" && test(item));
  if (typeof clientId !== "string" || clientId === "") return undefined;
  if (!isText(secret) || !isText(name) || !isText(scope) || (jwks !== undefined && !isRecord(jwks))) {
    return undefined;
  }
  if (!isList(uris, (uri) => URL.canParse(uri))) return undefined;
  // The grants of people at browsers go without saying; a name that is not known is a mistake.
  const known = ["authorization_code", "refresh_token", ...machineGrantTypes];
  if (!isList(grants, (grant) => known.includes(grant))) return undefined;
  const grantTypes = grants.filter((grant) => machineGrantTypes.includes(grant));
  const canProveItself = secret !== undefined || jwks !== undefined;
  if (grantTypes.length === 0 ? uris.length === 0 : !canProveItself) return undefined;
  return {
    clientId,
    redirectUris: uris,
    ...(typeof secret === "string" ? { clientSecret: secret } : {}),
    ...(typeof name === "string" ? { name } : {}),
    ...(jwks === undefined ? {} : { jwks }),
    ...(grantTypes.length === 0 ? {} : { grantTypes }),
    ...(typeof scope === "string" ? { scopes: scope.split(/\s+/).filter((each) => each !== "") } : {}),
  };
}

/** Issuers between commas or blanks. */
export const issuerList: Kind<readonly string[]> = kind("URL,…", (value) => {
  const issuers = value.split(/[\s,]+/).filter((issuer) => issuer !== "");
  const isLocal = (url: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  for (const issuer of issuers) {
    const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
    const good = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal(url));
    if (!good) throw new Error(`https URLs of issuers (not "${issuer}")`);
  }
  return issuers;
});
