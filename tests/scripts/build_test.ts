import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ignore = Deno.build.os === "windows";

for (const [what, code, good] of [["does not start", 1, false], ["starts", 0, true]] as const) {
  Deno.test({ name: `a compiled file that ${what} is ${good ? "taken" : "refused"}`, ignore }, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const compiler = `${folder}/deno`;
      await Deno.writeTextFile(
        compiler,
        `#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\n` +
          `printf '#!/bin/sh\\nexit ${code}\\n' > "$2"\nchmod +x "$2"\n`,
        { mode: 0o755 },
      );
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "scripts/build.ts", `--out=${folder}/dist`],
        cwd: root,
        env: { DENO_COMPILE: compiler, DENORT_BIN: "/bin/true", NO_COLOR: "1" },
      }).output();

      const said = new TextDecoder().decode(stderr);
      assert.equal(success, good, said);
      assert.equal(/it does not start/.test(said), !good, said);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
