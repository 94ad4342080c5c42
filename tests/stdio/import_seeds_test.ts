import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { Fields } from "../../lib/base/log.ts";
import { importSeed } from "../../lib/stdio/import_seeds.ts";
import type { LoginContext } from "../../lib/stdio/login_context.ts";
import { stdioConfig, temporaryDir } from "./login_setup.ts";
import { heardLog } from "../support/watched_log.ts";

const issuer = "https://issuer.example/realms/demo";
const seeds = new URL("../fixtures/seeds/", import.meta.url).pathname;

/** Imports from a home that the test has filled; also what was logged. */
async function importFrom(home: string, asked = issuer) {
  const config = stdioConfig(`${home}/cache`, { issuerUrl: asked, clientId: "app" });
  const said: [string, Fields | undefined][] = [];
  const note = (event: string, fields?: Fields) => void said.push([event, fields]);
  const log = heardLog({ info: note, warn: note });
  const context = { config: config.login, upstreamUrl: config.upstreamUrl, clock: systemClock, log };
  return { grant: await importSeed(context as unknown as LoginContext, asked, home), said };
}

function put(from: string, to: string): void {
  Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  Deno.copyFileSync(seeds + from, to);
}

const places = {
  "the Rust program's JSON file": [
    "authful-rs/issuer.example_realms_demo_tokens.json",
    ".mcp/authful_mcp_proxy/tokens/issuer.example_realms_demo_tokens.json",
  ],
  "authful's database": ["authful-python/cache.db", ".mcp-auth/authful-mcp-proxy-0.2.3/cache.db"],
  "authsome's database": ["authsome/cache.db", ".cache/authsome-mcp-proxy-0.4.0/cache.db"],
} as const;

for (const [name, [from, to]] of Object.entries(places)) {
  Deno.test(`${name} is read, with or without the issuer's last slash`, async () => {
    await using home = await temporaryDir();
    put(from, `${home.path}/${to}`);

    for (const asked of [issuer, `${issuer}/`]) {
      const { grant, said } = await importFrom(home.path, asked);

      assert.equal(grant?.accessToken, "seed-access-token");
      assert.equal(grant?.refreshToken, "seed-refresh-token");
      assert.deepEqual(grant?.scopesGranted, ["openid", "profile", "email"]);
      assert.equal((grant?.expiresAtMs ?? 0) - (grant?.obtainedAtMs ?? 0), 3_600_000);
      assert.equal(said[0]?.[0], "old_login_taken_over");
    }
  });

  Deno.test(`${name} is nothing to another issuer`, async () => {
    await using home = await temporaryDir();
    put(from, `${home.path}/${to}`);

    assert.deepEqual(await importFrom(home.path, "https://issuer.example/realms/other"), {
      grant: undefined,
      said: [],
    });
  });

  Deno.test(`${name} that cannot be read is named in one line`, async () => {
    await using home = await temporaryDir();
    put(from, `${home.path}/${to}`);
    await Deno.writeTextFile(`${home.path}/${to}`, "damaged ".repeat(40));

    const { grant, said } = await importFrom(home.path);

    assert.equal(grant, undefined);
    assert.deepEqual(said.map(([event, fields]) => [event, fields?.file]), [[
      "old_login_not_read",
      `${home.path}/${to}`,
    ]]);
  });
}

Deno.test("of several old logins the newest is taken", async () => {
  await using home = await temporaryDir();
  put("authful-python/cache.db", `${home.path}/.mcp-auth/authful-mcp-proxy-0.2.3/cache.db`);
  const file = `${home.path}/.mcp/authful_mcp_proxy/tokens/issuer.example_realms_demo_tokens.json`;
  put("authful-rs/issuer.example_realms_demo_tokens.json", file);
  await Deno.writeTextFile(file, '{"access_token":"the-other","token_type":"Bearer"}');
  const decade = 10 * 365 * 86_400;
  const take = async (seconds: number) => {
    await Deno.utime(file, seconds, seconds);
    return (await importFrom(home.path)).grant;
  };

  const newer = await take(Date.now() / 1_000 + decade);
  assert.equal(newer?.accessToken, "the-other");
  assert.equal(newer?.expiresAtMs, undefined);
  assert.equal((await take(Date.now() / 1_000 - decade))?.accessToken, "seed-access-token");
});

Deno.test("a home without old logins is nothing to speak of", async () => {
  await using home = await temporaryDir();
  assert.deepEqual(await importFrom(home.path), { grant: undefined, said: [] });
});
