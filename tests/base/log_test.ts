import assert from "node:assert/strict";
import fc from "fast-check";
import { type LogExtras, openLog, safeUrl } from "../../lib/base/log.ts";
import { pseudonym } from "../../lib/base/pseudonym.ts";
import { currentRequest, inRequest } from "../../lib/base/request_context.ts";

function logged(
  write: (log: ReturnType<typeof openLog>) => void,
  config: Partial<Parameters<typeof openLog>[0]> = {},
  extras: LogExtras = {},
): string {
  let text = "";
  write(openLog({ level: "info", format: "json", ...config }, { ...extras, write: (more) => text += more }));
  return text;
}

Deno.test("an event is one line of JSON: time, level, event, fields", () => {
  const text = logged((log) => log.warn("store_lost", { url: "redis://x", cause: "closed", count: 2 }));

  const { ts, ...rest } = JSON.parse(text);
  assert.ok(Math.abs(Date.parse(ts) - Date.now()) < 60_000);
  assert.deepEqual(rest, { level: "warn", msg: "store_lost", url: "redis://x", cause: "closed", count: 2 });
  assert.match(text, /^[^\n]*\n$/);
});

Deno.test("for people it is one line of text, with quotes where a value needs them", () => {
  const text = logged((log) => log.info("listening", { port: 8000, hint: 'say "a b"' }), { format: "text" });

  assert.match(text, /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}listening port=8000 hint="say \\"a b\\""\n$/);
});

Deno.test("whatever comes from outside cannot make a second line, or one that never ends", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (text) => {
    for (const format of ["json", "text"] as const) {
      const line = logged((log) => log.info("client_registered", { clientName: text }), { format });
      assert.equal(line.indexOf("\n"), line.length - 1);
      // deno-lint-ignore no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      assert.ok(line.length < 4_000);
    }
  }));
});

Deno.test("lines below the level are not written, and enabled() says so before anything is prepared", () => {
  const text = logged((log) => {
    assert.deepEqual([log.enabled("info"), log.enabled("warn")], [false, true]);
    log.info("request");
    log.debug("token");
    log.error("request_failed");
  }, { level: "warn" });

  assert.equal(JSON.parse(text).msg, "request_failed");
});

Deno.test("subjects and e-mail addresses become the same short text in every line where a setting says so", () => {
  const lines = logged(
    (log) => {
      log.info("token_issued", { subject: "alice", client: "c" });
      log.with({ email: "alice@example.com" }).warn("token_unused", { subject: "alice" });
      log.frequent?.("request", { subject: "alice", email: "alice@example.com" });
      log.info("shutdown_complete");
    },
    {},
    { pseudonym },
  ).trim().split("\n").map((line) => JSON.parse(line));

  assert.equal(lines.length, 4);
  assert.doesNotMatch(JSON.stringify(lines), /alice|example\.com/);
  assert.match(lines[0].subject, /^[\w-]{16}$/);
  assert.deepEqual([lines[1].subject, lines[2].subject], [lines[0].subject, lines[0].subject]);
  assert.equal(lines[1].email, lines[2].email);
  assert.notEqual(lines[0].subject, lines[1].email);
  assert.equal(lines[0].client, "c");
});

Deno.test("a line that is written while a request is answered has the request's id, whoever writes it", async () => {
  let text = "";
  const log = openLog({ level: "info", format: "json" }, {
    write: (more) => text += more,
    context: currentRequest,
  });
  const work = async (id: string) => {
    await Promise.resolve();
    log.info("token_issued", { subject: id });
  };
  await Promise.all(["a", "b"].map((id) => inRequest({ requestId: id }, () => work(id))));
  log.info("shutting_down");

  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ requestId, subject }) => [requestId, subject]), [["a", "a"], ["b", "b"], [
    undefined,
    undefined,
  ]]);
});

Deno.test("safeUrl() leaves out what may be secret in an address", () => {
  assert.equal(safeUrl("https://user:pw@idp.example/authorize?state=s#f"), "https://idp.example/authorize");
  assert.equal(safeUrl("no url: secret"), "(not a URL)");
});
