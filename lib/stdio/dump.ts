/** Every message in both directions, appended to a file when the user asked for it; never anywhere else. */
import { UserError } from "../base/errors.ts";
import { joinBytes } from "../base/join_bytes.ts";

/** Where messages are recorded. */
export interface MessageDump extends Disposable {
  write(direction: "from_host" | "to_host", parts: readonly Uint8Array[]): void;
}

/** Records nothing when no file is given. @throws UserError when the file cannot be opened */
export function openDump(file: string | undefined): MessageDump {
  if (file === undefined) return { write: () => {}, [Symbol.dispose]: () => {} };
  let out: Deno.FsFile;
  try {
    out = Deno.openSync(file, { append: true, create: true, mode: 0o600 });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot write messages to "${file}": ${found}`, {
      hint: "Give --dump-messages a file in a folder that exists and may be written to.",
      cause,
    });
  }
  const encoder = new TextEncoder();
  return {
    write(direction, parts) {
      const prefix = encoder.encode(`${new Date().toISOString()} ${direction === "from_host" ? ">" : "<"} `);
      const line = joinBytes([prefix, ...parts]).map((byte) => byte === 0x0a || byte === 0x0d ? 0x20 : byte);
      try {
        writeAll(out, joinBytes([line, encoder.encode("\n")]));
      } catch {
        // A full disk must not end the conversation.
      }
    },
    [Symbol.dispose]: () => out.close(),
  };
}

function writeAll(out: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
}
