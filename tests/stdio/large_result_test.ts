import assert from "node:assert/strict";
import { baseEnv, doormanCommand, startDoorman } from "../support/process.ts";
import { rawUpstream, rpcResult } from "../support/raw_upstream.ts";

const size = 100_000_000;
const piece = new TextEncoder().encode("0123456789abcdef".repeat(4_096));

/** An answer of 100 MB, made as it is read. */
function large(id: unknown, form: "json" | "sse"): Response {
  const encoder = new TextEncoder();
  let left = Math.ceil(size / piece.length);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(
        encoder.encode(`${form === "sse" ? "data: " : ""}{"jsonrpc":"2.0","id":${id},"result":{"text":"`),
      ),
    pull(controller) {
      if (left-- > 0) return controller.enqueue(piece);
      controller.enqueue(encoder.encode(`"}}${form === "sse" ? "\n\n" : ""}`));
      controller.close();
    },
  });
  return new Response(body, {
    headers: { "content-type": form === "sse" ? "text/event-stream" : "application/json" },
  });
}

for (const form of ["json", "sse"] as const) {
  Deno.test({
    name: `a result of 100 MB passes with less than three times its size at the peak (${form})`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      await using upstream = rawUpstream((request) => large(request.rpc.id, form));
      const { command, args } = doormanCommand();
      const home = await Deno.makeTempDir();
      const child = new Deno.Command(command, {
        args: [...args, "--silent", upstream.url],
        env: baseEnv(home),
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const stdin = child.stdin.getWriter();
      await stdin.write(new TextEncoder().encode('{"jsonrpc":"2.0","id":7,"method":"tools/list"}\n'));
      let bytes = 0;
      let lines = 0;
      const reader = child.stdout.getReader();
      while (lines === 0) {
        const { value, done } = await reader.read();
        if (done) break;
        bytes += value.length;
        if (value.at(-1) === 10) lines++;
      }
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
      await stdin.close();
      await child.status;
      await reader.cancel();
      await Deno.remove(home, { recursive: true });

      const peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1_024;
      assert.equal(lines, 1);
      assert.ok(bytes > size);
      assert.ok(peakBytes < 3 * size, `${Math.round(peakBytes / 1e6)} MB at the peak`);
    },
  });
}

Deno.test("large results at the same time and one after the other have each their own bytes", async () => {
  const textOf = (id: number) => String.fromCharCode(65 + id).repeat(2_500_000 + id);
  await using upstream = rawUpstream((request) =>
    request.rpc?.method === "tools/call"
      ? rpcResult(request, { text: textOf(request.rpc.id) })
      : rpcResult(request, {})
  );
  await using process = startDoorman([upstream.url]);
  for (let first = 0; first < 24; first += 6) {
    const ids = Array.from({ length: 6 }, (_, at) => first + at);
    for (const id of ids) {
      await process.write(
        JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "x" } }),
      );
    }
    for (const id of ids) {
      const line = await process.line("stdout", new RegExp(`"id":${id},`));
      assert.ok(JSON.parse(line).result.text === textOf(id), `${id}`);
    }
  }
});

Deno.test({
  name: "a line of 200 MB, over the limit, is refused by its id and not kept, and the next is answered",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using upstream = rawUpstream((request) => rpcResult(request, {}));
    await using process = startDoorman([upstream.url]);
    const writer = process.stdin.getWriter();
    await writer.write(
      new TextEncoder().encode('{"jsonrpc":"2.0","id":"long","method":"x","params":{"text":"'),
    );
    for (let bytes = 0; bytes < 2 * size; bytes += piece.length) await writer.write(piece);
    await writer.write(new TextEncoder().encode('"}}\n'));
    writer.releaseLock();

    const refused = await process.line("stdout", /"id":"long"/);
    await process.write('{"jsonrpc":"2.0","id":"next","method":"x"}');
    await process.line("stdout", /"id":"next","result"/);
    const status = await Deno.readTextFile(`/proc/${process.pid}/status`);
    const peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1_024;

    assert.equal(JSON.parse(refused).error.code, -31005);
    assert.equal(upstream.requests.length, 1);
    // What comes below the limit of 64 MiB is kept until it is over.
    assert.ok(peakBytes < 2.5 * size, `${Math.round(peakBytes / 1e6)} MB at the peak`);
  },
});
