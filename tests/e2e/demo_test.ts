import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { connectV1 } from "../support/mcp_client.ts";
import { textLines } from "../support/lines.ts";
import { baseEnv } from "../support/process.ts";
import { findProgram } from "../support/services.ts";

const ignore = Deno.build.os === "windows";

Deno.test({ name: "the demo prints what works, and Ctrl-C ends all of it", ignore }, async () => {
  await using demo = await startDemo(["--validating", `--port=${unusedPort()}`]);
  await demo.until(/Ctrl-C/);
  const said = demo.lines.join("\n");
  const mcpUrl = /Connector\s+(\S+)/.exec(said)?.[1] ?? "";
  assert.match(said, new RegExp(`claude mcp add --transport http \\S+ ${mcpUrl}`));
  assert.match(said, /npx -y @modelcontextprotocol\/inspector/);
  assert.match(said, /alice or bob/);
  const ports = [...said.matchAll(/http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/g)].map((match) =>
    Number(match[1])
  );

  const curl = /curl -i [\s\S]*?(?=\n\n)/.exec(said)?.[0] ?? "";
  assert.match(curl, new RegExp(mcpUrl));
  if (findProgram("curl") !== undefined) {
    const shown = await new Deno.Command("sh", { args: ["-c", curl], stderr: "null" }).output();
    assert.match(
      new TextDecoder().decode(shown.stdout),
      /^HTTP\/1\.1 401 [\s\S]*www-authenticate: Bearer /im,
    );
  }
  const { client } = await connectV1(mcpUrl, { user: "bob" });
  const claims = await client.callTool({ name: "claims" });
  assert.match(JSON.stringify(claims.content), /bob@example\.com/);
  await client.close();

  demo.child.kill("SIGINT");
  assert.equal((await demo.child.status).code, 0);
  assert.ok(new Set(ports).size >= 3);
  for (const port of ports) await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
});

Deno.test({ name: "the stdio demo shows a login and a tool call going through", ignore }, async () => {
  await using demo = await startDemo(["--stdio", "--once"]);

  const { code } = await demo.child.status;
  await demo.until(/Ctrl-C/);

  const said = demo.lines.join("\n");
  assert.equal(code, 0, said);
  assert.match(said, /step 3 of 3/);
  assert.match(said, /claims: .*alice@example\.com/);
  assert.match(said, /"mcpServers"/);
});

Deno.test({ name: "a port that is none is one line, and nothing is started", ignore }, async () => {
  await using demo = await startDemo(["--port=abc"]);

  const { code } = await demo.child.status;
  await demo.until(/--port/);

  assert.equal(code, 1);
  assert.deepEqual(demo.lines, ['--port is a number from 0 to 65535, not "abc"']);
});

async function startDemo(args: readonly string[]) {
  const home = await Deno.makeTempDir();
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/demo.ts", ...args],
    cwd: root,
    clearEnv: true,
    env: baseEnv(home),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  let wake = () => {};
  const read = async (from: "stdout" | "stderr") => {
    for await (const line of child[from].pipeThrough(textLines())) {
      lines.push(line);
      wake();
    }
  };
  let ended = false;
  const reading = Promise.all([read("stdout"), read("stderr")]).then(() => {
    ended = true;
    wake();
  });
  return {
    child,
    lines,
    async until(pattern: RegExp) {
      while (!lines.some((line) => pattern.test(line))) {
        if (ended) throw new Error(`The demo ended without ${pattern}:\n${lines.join("\n")}`);
        const next = Promise.withResolvers<void>();
        wake = next.resolve;
        await next.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child.status;
      await reading;
      await Deno.remove(home, { recursive: true });
    },
  };
}
