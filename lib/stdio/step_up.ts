/**
 * Asking for more scopes when the upstream says that the token has too few (RFC 6750 section 3.1, MCP "Step-Up
 * Authorization Flow"). A refresh cannot add scopes, so it is a login; what was asked for or granted before is asked
 * for again, so that one operation does not take away what another needs.
 */
import { findBearerChallenge } from "../oauth/challenge.ts";
import { parseScope, unionScopes } from "../oauth/scope.ts";
import type { Grant } from "./grant.ts";

/** How often one challenge may lead to a login; with the first login that makes three in all. */
const maxStepUps = 2;

/** Counts the step-ups of one program, so that a server that never has enough does not open browsers for ever. */
export class StepUps {
  readonly #counts = new Map<string, number>();

  /** The scopes to log in with, or `undefined` when the refusal asks for none or has been answered often enough. */
  next(grant: Grant | undefined, challenge: string | null): readonly string[] | undefined {
    const { error, scope } = findBearerChallenge(challenge)?.params ?? {};
    if (error !== "insufficient_scope") return undefined;
    const wanted = parseScope(scope);
    const key = [...wanted].sort().join(" ");
    const count = (this.#counts.get(key) ?? 0) + 1;
    if (count > maxStepUps) return undefined;
    this.#counts.set(key, count);
    return unionScopes(grant?.scopesAsked ?? [], grant?.scopesGranted ?? [], wanted);
  }
}
