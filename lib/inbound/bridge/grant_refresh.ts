import type { Entry } from "../../store/store.ts";
import { IdpError } from "../../idp/idp.ts";
import { parseScope } from "../../oauth/scope.ts";
import { withLease } from "../../store/lease.ts";
import type { Client } from "./clients.ts";
import { failure } from "./failures.ts";
import { rotateFamily, standingOf, successorOf } from "./family.ts";
import { parameter } from "./forms.ts";
import { grantIdentity, heldTokens, refuseIdentity } from "./identity.ts";
import { issueTokens, tokenBody } from "./issue.ts";
import type { BridgeParts } from "./parts.ts";
import { type Family, familyKey, type Revocations, revokeGrant } from "./revocations.ts";
import { type IssuedTokens, openTicket, type RefreshBody, type RefreshTicket } from "./tickets.ts";

/** How long a login goes without the IdP being asked whether the user is still welcome. */
const idpCheckMs = 3_600_000;

/** Renewed while the IdP is being asked; a process that dies in between holds up the others no longer than this. */
const leaseMs = 6_000;

/** How long a request waits for another one's refresh at the IdP. */
const leaseWaitMs = 25_000;

/** The refresh grant; `redeem` is safe to be called by many at once, here and in other processes. */
export class RefreshGrant {
  /** Requests with the same token at the same time share one rotation. */
  readonly #running = new Map<string, Promise<IssuedTokens>>();

  constructor(private readonly parts: BridgeParts, private readonly revocations: Revocations) {}

  /** Rotates a refresh token. @throws OAuthError, StoreUnavailable */
  async redeem(client: Client, form: URLSearchParams): Promise<IssuedTokens> {
    const { parts, revocations } = this;
    const text = parameter(form, "refresh_token");
    if (text === undefined) throw failure("token_parameter_missing");
    const opened = await openTicket(parts.sealer, "refresh", text);
    if (!opened.ok) throw failure(opened.reason === "expired" ? "refresh_expired" : "refresh_invalid");
    const ticket = opened.value;
    const { grant } = ticket;
    if (grant.client !== client.key) throw failure("refresh_client_mismatch");
    const scopes = this.#scopes(ticket, form);
    const { id: grantId, originMs } = grant;
    const cause = await revocations.check({
      grantId,
      client: grant.client,
      subject: ticket.subject,
      originMs,
    });
    if (cause !== undefined) {
      throw failure(cause === "token_revoked" ? "refresh_family_revoked" : "refresh_revoked");
    }

    const key = `${ticket.jti} ${scopes.join(" ")}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#rotate(ticket, scopes).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    const tokens = await running;
    parts.counters.add("mcp_auth_tokens_issued_total", { grant_type: "refresh_token" });
    parts.log.info("token_refreshed", { subject: ticket.subject, client: grant.client, grant: grant.id });
    return tokens;
  }

  /** Fewer scopes than granted may be asked for, never more; what we do not know is passed over as at the login. */
  #scopes(ticket: RefreshTicket, form: URLSearchParams): readonly string[] {
    const granted = ticket.grant.scopes;
    const asked = parseScope(parameter(form, "scope"))
      .filter((scope) => granted.includes(scope) || this.parts.config.scopesSupported.includes(scope));
    if (asked.some((scope) => !granted.includes(scope))) throw failure("scope_exceeded");
    return asked.length === 0 ? granted : asked;
  }

  async #rotate(ticket: RefreshTicket, scopes: readonly string[]): Promise<IssuedTokens> {
    const { parts } = this;
    const body = await tokenBody<RefreshBody>(parts, ticket.body);
    for (;;) {
      const entry = await parts.store.get<Family>(familyKey(ticket.grant.id));
      const settled = await this.#settled(ticket, entry);
      if (settled !== undefined) return settled;
      if (body === undefined) throw failure("refresh_invalid");
      const done = this.#asksIdp(body)
        ? await this.#underLease(ticket.grant.id, () => this.#tryOnce(ticket, body, scopes))
        : await this.#tryOnce(ticket, body, scopes);
      if (done !== undefined) return done;
    }
  }

  /** The answer that needs no rotation; `undefined` when this token is to be rotated. */
  async #settled(ticket: RefreshTicket, entry: Entry<Family> | undefined): Promise<IssuedTokens | undefined> {
    const { parts } = this;
    const now = { nowMs: parts.clock.now(), graceMs: parts.config.refreshGraceMs };
    switch (standingOf(entry?.value, ticket.jti, now)) {
      case "current":
        return undefined;
      case "in_grace":
        parts.log.debug("refresh_token_concurrent_submit", {
          family: ticket.grant.id,
          client: ticket.grant.client,
        });
        return await successorOf(parts, entry?.value ?? { current: null, retired: [] });
      case "revoked":
        throw failure("refresh_family_revoked");
      case "reused":
        return await this.#end(ticket, "refresh_reuse_detected");
    }
  }

  /** Rotates once; `undefined` when the family has changed meanwhile and must be looked at again. */
  async #tryOnce(
    ticket: RefreshTicket,
    body: RefreshBody,
    scopes: readonly string[],
  ): Promise<IssuedTokens | undefined> {
    const { parts } = this;
    const { grant, jti } = ticket;
    const entry = await parts.store.get<Family>(familyKey(grant.id));
    const settled = await this.#settled(ticket, entry);
    if (settled !== undefined) return settled;
    const renewed = await this.#askIdp(ticket, body, entry);
    if (renewed === undefined) return undefined;
    if (refuseIdentity(renewed.identity, parts.config) !== undefined) {
      await this.#end(ticket, "refresh_not_allowed");
    }
    const { tokens, refreshId, refreshTtlMs } = await issueTokens(parts, grant, renewed, scopes);
    const next = { id: refreshId ?? "", tokens, ttlMs: Math.max(refreshTtlMs, 60_000) };
    const change = { family: entry?.value, version: entry?.version, jti, next };
    return await rotateFamily(parts, grant.id, change) ? tokens : undefined;
  }

  /** With the IdP's token handed on, every refresh is one at the IdP; else only now and then, to check the user. */
  #asksIdp(body: RefreshBody): boolean {
    const { config, clock } = this.parts;
    if (body.idp?.refreshToken === undefined) return false;
    return config.tokenFollowsIdp || clock.now() - body.idp.checkedAtMs >= idpCheckMs;
  }

  async #askIdp(
    ticket: RefreshTicket,
    body: RefreshBody,
    entry: Entry<Family> | undefined,
  ): Promise<RefreshBody | undefined> {
    const { parts } = this;
    const refreshToken = body.idp?.refreshToken;
    if (refreshToken === undefined || !this.#asksIdp(body)) return body;
    try {
      const { tokens, identity } = await parts.idp.refresh(refreshToken);
      const kept = identity === undefined ? body.identity : grantIdentity(identity, parts.config);
      if (kept.subject !== ticket.subject) return await this.#end(ticket, "refresh_idp_dead");
      return { identity: kept, idp: heldTokens(parts, tokens) };
    } catch (error) {
      if (!(error instanceof IdpError)) throw error;
      if (error.kind === "transient") {
        parts.log.warn("idp_refresh_failed", { reason: error.reason, subject: ticket.subject });
        if (!parts.config.tokenFollowsIdp) return body;
        throw failure("refresh_idp_unavailable", { error, retryAfterSec: 5 });
      }
      // Dead for us may only mean that somebody else was quicker with a token that works once.
      const now = await parts.store.get<Family>(familyKey(ticket.grant.id));
      if (now?.version !== entry?.version) return undefined;
      return await this.#end(ticket, "refresh_idp_dead");
    }
  }

  /** Ends the login for good. */
  async #end(
    ticket: RefreshTicket,
    cause: "refresh_reuse_detected" | "refresh_idp_dead" | "refresh_not_allowed",
  ): Promise<never> {
    const { store, config, log, counters } = this.parts;
    const { grant, subject } = ticket;
    await revokeGrant(store, grant.id, cause, config.grantTtlMs);
    this.revocations.forget({ grantId: grant.id, client: grant.client, subject, originMs: grant.originMs });
    const fields = { family: grant.id, subject, client: grant.client };
    if (cause === "refresh_reuse_detected") {
      counters.add("mcp_auth_replay_detected_total", { kind: "refresh" });
      log.warn("refresh_token_reuse_detected", fields);
    }
    log.warn("refresh_token_family_revoked", { ...fields, reason: cause });
    throw failure(cause);
  }

  async #underLease<T>(grantId: string, fn: () => Promise<T>): Promise<T> {
    const { store, clock } = this.parts;
    const wait = new AbortController();
    const timer = setTimeout(() => wait.abort(failure("replay_store_unavailable")), leaseWaitMs);
    try {
      return await withLease(store, ["lease", "refresh", grantId], {
        ttlMs: leaseMs,
        clock,
        signal: wait.signal,
      }, fn);
    } finally {
      clearTimeout(timer);
    }
  }
}
