/** Revision 2026-07-28: no session; every message says in its headers what it is. */
import type { Outgoing } from "./exchange.ts";
import type { Head } from "./head.ts";
import type { Session } from "./session.ts";

/** Whether the host speaks a revision without sessions in this message. */
export function isModern(head: Head | undefined): boolean {
  return head?.protocolVersion !== undefined;
}

/** The headers that a message needs beside the usual ones. */
export function messageHeaders(message: Outgoing, session: Session): [name: string, value: string][] {
  const head = message.heads[0];
  if (message.batch || head?.protocolVersion === undefined) {
    return head?.method === "initialize" ? [] : session.headers();
  }
  const headers: [string, string][] = [["mcp-protocol-version", headerText(head.protocolVersion)]];
  if (head.method !== undefined) headers.push(["mcp-method", headerText(head.method)]);
  const name = nameOf(head);
  if (name !== undefined) headers.push(["mcp-name", headerText(name)]);
  return headers;
}

function nameOf(head: Head): string | undefined {
  switch (head.method) {
    case "tools/call":
    case "prompts/get":
      return head.name;
    case "resources/read":
      return head.uri;
    case "tasks/get":
    case "tasks/update":
    case "tasks/cancel":
      return head.taskId;
  }
}

/** A value as a header carries it: as it is when that is safe, else in base64 between `=?base64?` and `?=`. */
export function headerText(value: string): string {
  const safe = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value) &&
    !/^=\?base64\?.*\?=$/i.test(value);
  if (safe) return value;
  const bytes = new TextEncoder().encode(value);
  return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}?=`;
}
