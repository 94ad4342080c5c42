/** Answers `initialize`, `echo` and `big` with JSON, as cheaply as it can, to whoever shows a token. */
const texts = new Map<number, string>();

function text(bytes: number): string {
  let known = texts.get(bytes);
  if (known === undefined) texts.set(bytes, known = "0123456789abcdef ".repeat(bytes / 17));
  return known;
}

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  if (request.headers.get("authorization")?.startsWith("Bearer ") !== true) {
    return new Response(null, { status: 401 });
  }
  if (request.method !== "POST") return new Response(null, { status: 405 });
  const { id, method, params } = await request.json();
  if (id === undefined) return new Response(null, { status: 202 });
  if (method === "initialize") {
    const serverInfo = { name: "bench", version: "1" };
    const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo };
    return Response.json({ jsonrpc: "2.0", id, result });
  }
  const { name, arguments: args } = params;
  const value = name === "big" ? text(args.bytes) : args.text;
  return Response.json({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: value }] } });
});
console.log(`http://127.0.0.1:${server.addr.port}/mcp`);
