/** A child that does as the method of each message says. */
const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(text));

let held = "";
let heldId: unknown;
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (held + chunk).split("\n");
  held = lines.pop() ?? "";
  for (const line of lines) {
    const message = JSON.parse(line);
    const { id, method } = Array.isArray(message) ? { id: undefined, method: "batch" } : message;
    const answer = (result: unknown) => say(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\n");
    if (method === "initialize") answer({ pid: Deno.pid });
    else if (method === "die") Deno.exit(7);
    else if (method === "silent") continue;
    else if (method === "hold") heldId = id;
    else if (method === "release") {
      say(JSON.stringify({ jsonrpc: "2.0", id: heldId, result: "late" }) + "\n"), answer("released");
    } else if (method === "garbage") say("this is no JSON\n"), answer("after garbage");
    else if (method === "raw") {
      say(
        `{ "jsonrpc":"2.0", "id":${id}, "result": {"big": 12345678901234567890, "line": ${
          JSON.stringify(line)
        }} }\r\n`,
      );
    } else if (method === "env") answer(Deno.env.toObject());
    else if (method === "announce") {
      say('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n'), answer("announced");
    } else if (method === "long") say("x".repeat(3_000_000));
    else if (method === "flood") {
      for (let n = 0; n < 200; n++) {
        say(
          `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${"y".repeat(100_000)}"}}\n`,
        );
      }
      answer("flooded");
    } else if (method === "batch") {
      say(
        JSON.stringify(
          message.map((one: { id: unknown }) => ({ jsonrpc: "2.0", id: one.id, result: "in a batch" })),
        ) + "\n",
      );
    } else if (id !== undefined) answer(method);
  }
}
