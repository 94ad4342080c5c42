import assert from "node:assert/strict";
import { filterEvents, withVisibleTools } from "../../../lib/http/tool_rules/lists.ts";

const none = () => false;

Deno.test("only lists of tools are looked into", () => {
  const others = [
    '{"id":1,"error":{"code":1,"message":"no tools"}}',
    '{"id":1,"result":{"tools":"many"}}',
    '{"id":1,"result":null,"tools":[{"name":"a"}]}',
    "tools",
    '["tools"]',
    '{"result":{"resources":[{"name":"tools"}]}}',
  ];
  for (const text of others) assert.equal(withVisibleTools(text, none), undefined, text);
  assert.equal(withVisibleTools('[{"result":{"tools":[{"name":"a"}]}}]', none), '[{"result":{"tools":[]}}]');
});

Deno.test("an event that never ends ends the stream instead of the memory", async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1_000_000))),
  });

  await assert.rejects(new Response(filterEvents(endless, none)).bytes(), /too long/);
});
