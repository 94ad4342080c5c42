/**
 * Logins that our predecessors left behind, taken over once, so that moving to this program asks nobody to log in:
 *
 *     authful-mcp-proxy-rs   ~/.mcp/authful_mcp_proxy/tokens/<issuer>_tokens.json
 *     authful-mcp-proxy      ~/.mcp-auth/authful-mcp-proxy-<version>/cache.db    SQLite, of Python's diskcache
 *     authsome-mcp-proxy     ~/.cache/authsome-mcp-proxy-<version>/cache.db      the same
 *
 * They kept tokens by issuer alone; whether they belong to the configured client shows at the first refresh.
 */
import { describeError, UserError } from "../base/errors.ts";
import { parseLooseScope } from "../oauth/scope.ts";
import type { Grant } from "./grant.ts";
import type { LoginContext } from "./login_context.ts";

/** What a predecessor kept, and where it was. */
interface SeedTokens {
  readonly file: string;
  readonly savedAtMs: number;
  /** The members of a token endpoint's answer. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** The newest login of a predecessor for the configured issuer. What cannot be read is named in the log. */
export async function importSeed(
  context: LoginContext,
  issuer: string,
  home: string,
): Promise<Grant | undefined> {
  const found: SeedTokens[] = [];
  for (const [file, read] of candidates(home, issuer)) {
    try {
      requireOwnFile(file);
      found.push(...await read(file, issuer));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      context.log.warn("old_login_not_read", { file, cause: describeError(error) });
    }
  }
  const newest = found.sort((a, b) => b.savedAtMs - a.savedAtMs)[0];
  return newest === undefined ? undefined : asGrant(context, issuer, newest);
}

type Reader = (file: string, issuer: string) => SeedTokens[] | Promise<SeedTokens[]>;

function candidates(home: string, issuer: string): [file: string, read: Reader][] {
  const name = issuer.replace(/^https?:\/\//, "").replaceAll(/[/:]/g, "_");
  const json = [...new Set([name, name.replace(/_+$/, ""), name.replace(/_+$/, "") + "_"])]
    .map((
      stem,
    ): [string, Reader] => [`${home}/.mcp/authful_mcp_proxy/tokens/${stem}_tokens.json`, readJsonFile]);
  const databases = [
    ...foldersIn(`${home}/.mcp-auth`, "authful-mcp-proxy-"),
    ...foldersIn(`${home}/.cache`, "authsome-mcp-proxy-"),
  ].map((folder): [string, Reader] => [`${folder}/cache.db`, readDatabase]);
  return [...json, ...databases];
}

function foldersIn(parent: string, prefix: string): string[] {
  try {
    return [...Deno.readDirSync(parent)]
      .filter((entry) => entry.isDirectory && entry.name.startsWith(prefix))
      .map(({ name }) => `${parent}/${name}`);
  } catch {
    return [];
  }
}

/** They wrote their files for all to read, so only the owner is looked at. */
function requireOwnFile(file: string): void {
  const found = Deno.lstatSync(file);
  if (!found.isFile) throw new UserError("it is not a file");
  if (Deno.build.os !== "windows" && found.uid !== Deno.uid()) {
    throw new UserError("it belongs to another user");
  }
}

function readJsonFile(file: string): SeedTokens[] {
  const members = membersOf(JSON.parse(Deno.readTextFileSync(file)));
  return [{ file, savedAtMs: Deno.statSync(file).mtime?.getTime() ?? 0, members }];
}

/** diskcache keeps short texts in the row and long ones (mode 3) in a file beside the database. */
async function readDatabase(file: string, issuer: string): Promise<SeedTokens[]> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const base = issuer.replace(/\/+$/, "");
    const rows = database.prepare("SELECT store_time, mode, filename, value FROM Cache WHERE key IN (?, ?)")
      .all(`mcp-oauth-token::${base}/tokens`, `mcp-oauth-token::${base}//tokens`);
    return rows.map(({ store_time, mode, filename, value }) => {
      const folder = file.slice(0, file.lastIndexOf("/"));
      const text = mode === 3 ? Deno.readTextFileSync(`${folder}/${filename}`) : String(value);
      const entry = membersOf(JSON.parse(text));
      return { file, savedAtMs: Number(store_time) * 1_000, members: membersOf(entry.value) };
    });
  } finally {
    database.close();
  }
}

function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new UserError("it holds something else than tokens");
}

function asGrant(
  { config, log, upstreamUrl }: LoginContext,
  issuer: string,
  { file, members, savedAtMs }: SeedTokens,
): Grant | undefined {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime } = members;
  if (typeof accessToken !== "string" || !/^[\x21-\x7e]+$/.test(accessToken)) {
    log.warn("old_login_not_read", { file, cause: "it holds no access token" });
    return undefined;
  }
  log.info("old_login_taken_over", {
    file,
    hint: "The old program's files stay where they are; delete them when you do not need it any more.",
  });
  const scopesGranted = parseLooseScope(members.scope);
  return {
    upstream: upstreamUrl.href,
    issuer,
    clientId: config.clientId ?? "",
    profile: config.profile,
    scopesAsked: config.scopes ?? [],
    ...(scopesGranted === undefined ? {} : { scopesGranted }),
    accessToken,
    ...(typeof refreshToken === "string" && refreshToken !== "" ? { refreshToken } : {}),
    obtainedAtMs: savedAtMs,
    loggedInAtMs: savedAtMs,
    // Without a lifetime the seeds used a token until it was refused.
    ...(typeof lifetime === "number" && lifetime > 0 ? { expiresAtMs: savedAtMs + lifetime * 1_000 } : {}),
    how: "imported",
  };
}
