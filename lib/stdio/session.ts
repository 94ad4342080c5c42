/**
 * The upstream session of the revisions up to 2025-11-25: its id and version, and what the host has said that would
 * have to be said again in a new one.
 */
import type { Outgoing } from "./exchange.ts";

/** One session for the life of the process; replaced by a new one when the upstream has forgotten it. */
export class Session {
  /** Absent before `initialize` is answered and for upstreams that keep no sessions. */
  id: string | undefined;
  /** The negotiated revision. */
  protocolVersion: string | undefined;
  /** How often a session began; tells a stale one from the present one. */
  generation = 0;
  initialize: Outgoing | undefined;
  initialized: Outgoing | undefined;
  logLevel: Outgoing | undefined;
  readonly subscriptions = new Map<string, Outgoing>();

  /** The headers of every request in this session. */
  headers(): [name: string, value: string][] {
    const headers: [string, string][] = [];
    if (this.id !== undefined) headers.push(["mcp-session-id", this.id]);
    if (this.protocolVersion !== undefined) headers.push(["mcp-protocol-version", this.protocolVersion]);
    return headers;
  }

  /** Remembers what the host says and a new session would have to hear. */
  remember(message: Outgoing): void {
    const head = message.heads[0];
    if (message.batch || head === undefined || head.protocolVersion !== undefined) return;
    switch (head.method) {
      case "initialize":
        this.initialize = message;
        this.initialized = undefined;
        this.logLevel = undefined;
        this.subscriptions.clear();
        break;
      case "notifications/initialized":
        this.initialized = message;
        break;
      case "logging/setLevel":
        this.logLevel = message;
        break;
      case "resources/subscribe":
        if (head.uri !== undefined) this.subscriptions.set(head.uri, message);
        break;
      case "resources/unsubscribe":
        if (head.uri !== undefined) this.subscriptions.delete(head.uri);
    }
  }

  /** A new session has begun. */
  begin(id: string | undefined, protocolVersion: string | undefined): void {
    this.id = id;
    this.protocolVersion = protocolVersion;
    this.generation++;
  }
}
