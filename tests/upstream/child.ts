/** A child for `spawned_test.ts`: serves on the port of its first argument, in the manner of its second. */
const [port = "0", manner = "well"] = Deno.args;

console.log("a line on stdout");
console.error("a line on stderr");
if (manner === "dies") Deno.exit(3);
if (manner === "deaf") Deno.addSignalListener("SIGTERM", () => console.log("heard SIGTERM and stays"));
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, async (request) => {
  const text = await request.text();
  if (text === "die") Deno.exit(5);
  return Response.json({ pid: Deno.pid, text });
});
