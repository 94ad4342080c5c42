/**
 * The Dockerfile, as far as it can be run without a container engine: its variables, user and folder around the running
 * program, its health check as the command that it is, and what an image must not have.
 */
import assert from "node:assert/strict";
import { startIdp } from "../fakes/idp.ts";
import { startHandler, unusedPort } from "../fakes/raw_upstream.ts";
import { startUpstream } from "../fakes/upstream.ts";
import { runDoorman, startDoorman } from "../support/process.ts";

const text = await Deno.readTextFile(
  new URL("../../scripts/deploy/container/Dockerfile", import.meta.url),
);

/** Instructions with their lines joined, in order. */
const instructions = text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, " ").split("\n")
  .filter((line) => line.trim() !== "").map((line) => {
    const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const all = (wanted: string) => instructions.filter(({ name }) => name === wanted).map(({ rest }) => rest);
const only = (wanted: string) => {
  assert.equal(all(wanted).length, 1, wanted);
  return all(wanted)[0] ?? "";
};

/** The image's variables. */
function imageEnv(): Record<string, string> {
  return Object.fromEntries(
    [...only("ENV").matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
}

Deno.test("the image is built from named stages on a base of its own version, and copies only what it needs", () => {
  const bases = all("FROM");
  const [last = ""] = bases.slice(-1);
  assert.match(last, /^debian:\d+-slim$/);
  assert.ok(bases.slice(0, -1).every((base) => / AS [a-z0-9-]+$/.test(base)));
  assert.ok(bases.every((base) => !/:latest\b/.test(base)));
  assert.deepEqual(all("ADD"), []);
  for (const copied of all("COPY")) assert.doesNotMatch(copied, /(^|\s)\.\/?(\s|$)|\.env|\.git/);
});

Deno.test("packages come without recommendations and leave no lists; nothing is piped into a shell", () => {
  for (const run of all("RUN")) {
    if (run.includes("apt-get install")) {
      assert.match(run, /apt-get update/);
      assert.match(run, /--no-install-recommends/);
      assert.match(run, /-y\b/);
      assert.match(run, /rm -rf \/var\/lib\/apt\/lists\/\*/);
    }
    assert.doesNotMatch(run, /\bsudo\b|curl|wget|\|\s*(ba)?sh\b|chmod 777/);
  }
});

Deno.test("the last user is a number and not root, the folder of the state is its own, and ends are signals", () => {
  const users = all("USER");
  const [uid = "", gid = ""] = users.at(-1)?.split(":") ?? [];
  assert.match(uid, /^[1-9]\d+$/);
  const entry = instructions.findIndex(({ name }) => name === "ENTRYPOINT");
  assert.ok(instructions.findLastIndex(({ name }) => name === "USER") < entry);
  const state = imageEnv()["STATE_DIRECTORY"] ?? "-";
  assert.match(all("RUN").join(" "), new RegExp(`install -d -o ${uid} -g ${gid} -m 700 ${state}`));
  assert.deepEqual([only("WORKDIR"), only("VOLUME")], [state, state]);
  assert.equal(only("STOPSIGNAL"), "SIGTERM");
  // In the form of a list: the program itself is process 1 and gets the signal.
  assert.deepEqual(JSON.parse(only("ENTRYPOINT")), ["/usr/local/bin/mcp-doorman"]);
  assert.doesNotMatch(text, /SECRET|PASSWORD|TOKEN/);
});

const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test({
  name:
    "with the image's variables the program serves on every address, and the health check tells it from a dead one",
  ...onLinux,
  async fn() {
    await using idp = await startIdp();
    await using upstream = startUpstream();
    const state = await Deno.makeTempDir();
    const port = String(unusedPort());
    const env = { ...imageEnv(), MCP_PROXY_PORT: port, STATE_DIRECTORY: state };
    const check = /^--interval=\S+ --timeout=\S+ --start-period=\S+ CMD (\[.*\])$/.exec(only("HEALTHCHECK"));
    const [command = "", ...args] = JSON.parse(check?.[1] ?? "[]");
    const healthy = async () => {
      const { success } = await new Deno.Command(command, { args, env, stderr: "null" }).output();
      return success;
    };
    try {
      assert.equal(await healthy(), false);
      await using process = startDoorman([], {
        env: {
          ...env,
          METRICS_ADDR: "127.0.0.1:0",
          MCP_PROXY_BASE_URL: `http://localhost:${port}`,
          INBOUND_AUTH_PROVIDER: "oidc",
          OIDC_ISSUER_URL: idp.issuer,
          OIDC_CLIENT_ID: idp.clientId,
          OIDC_CLIENT_SECRET: idp.clientSecret,
          OUTBOUND_AUTH: "none",
          UPSTREAM_MCP_URL: upstream.url,
        },
      });
      const line = JSON.parse(await process.line("stderr", /"listening"/));
      assert.deepEqual([line.address, String(line.port)], [imageEnv()["MCP_PROXY_HOST"], port]);
      assert.equal(await healthy(), true);
      process.signal("SIGTERM");
      assert.equal(await process.exited, 0);
      assert.equal(await healthy(), false);
      await using _sick = startHandler(() => new Response(null, { status: 503 }), {
        port: Number(port),
      });
      assert.equal(await healthy(), false, "503 is not health");
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
});

Deno.test("what stands at a fresh start in the image without settings is an error that names what is missing", async () => {
  const { code, stderr } = await runDoorman([], { env: { ...imageEnv(), STATE_DIRECTORY: "" } });

  assert.equal(code, 2);
  assert.match(stderr, /upstream/i);
});
