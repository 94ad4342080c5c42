/** What is said in the upstream's place while a login is under way: who it was last time, and one tool, `login`. */
import { programName, version } from "../base/version.ts";
import type { LoginStatus } from "./credentials.ts";
import { type Outgoing } from "./exchange.ts";
import { isModern } from "./modern.ts";

const decoder = new TextDecoder();

/** Results of revision 2026-07-28 say that they are complete and how long they hold: not at all. */
const modernMembers = { resultType: "complete", ttlMs: 0, cacheScope: "private" };

/** The result of `initialize` or `server/discover`, from the last known one or of our own. */
export function introduction(
  message: Outgoing,
  known: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const serverInfo = { name: programName, version };
  const instructions =
    "The login at this server is not finished: call the tool `login`, then look for tools again.";
  const old = known ?? { instructions, capabilities: {} };
  // Without this the host would not hear that the tools are there.
  const capabilities = { ...(old.capabilities as object | undefined), tools: { listChanged: true } };
  if (message.heads[0]?.method === "server/discover") {
    const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
    return { ...modernMembers, supportedVersions: ["2026-07-28"], _meta, ...old, capabilities };
  }
  const asked = JSON.parse(decoder.decode(message.bytes)).params?.protocolVersion;
  const protocolVersion = typeof asked === "string" ? asked : "2025-11-25";
  return { protocolVersion, serverInfo, ...old, capabilities };
}

/** The result of a request that can be answered without the upstream; `undefined` for all others. */
export function standInResult(message: Outgoing, status: LoginStatus): Record<string, unknown> | undefined {
  const head = message.heads[0];
  const list = (members: Record<string, unknown>) =>
    isModern(head) ? { ...modernMembers, ...members } : members;
  switch (head?.method) {
    case "ping":
    case "logging/setLevel":
      return {};
    case "tools/list":
      return list({ tools: [loginTool] });
    case "prompts/list":
      return list({ prompts: [] });
    case "resources/list":
      return list({ resources: [] });
    case "resources/templates/list":
      return list({ resourceTemplates: [] });
    case "tools/call": {
      if (head.name !== loginTool.name) return undefined;
      const content = [{ type: "text", text: loginText(status) }];
      return isModern(head) ? { resultType: "complete", content } : { content };
    }
  }
}

const loginTool = {
  name: "login",
  description:
    "Says how to log in at this server and how far the login is. Its tools appear when it is done.",
  inputSchema: { type: "object", properties: {} },
};

/** How far the login is, for a person. */
export function loginText(status: LoginStatus): string {
  switch (status.state) {
    case "ready":
      return "You are logged in; the server is being connected to.";
    case "working":
      return `The login is under way: ${status.doing}.`;
    case "waiting_for_user":
      return `Open this address in a browser and log in: ${status.url}` +
        (status.userCode === undefined ? "" : `\nThe code to enter there: ${status.userCode}`);
    case "failed":
      return `The login failed: ${status.message}${status.hint === undefined ? "" : ` ${status.hint}`}`;
  }
}
