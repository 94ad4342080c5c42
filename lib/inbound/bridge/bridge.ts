/**
 * The bridge: an authorization server for MCP clients that federates to an IdP which knows nothing of MCP.
 *
 *     client               browser                      bridge                            IdP
 *       │  register ──────────────────────────────────> client ticket = client_id
 *       │                     │ authorize ─────────────> consent ticket in a page, browser cookie
 *       │                     │ consent (approve) ─────> flow ticket = state ───────────> login
 *       │                     │ callback <──────────────────────────────────────────────── code
 *       │                     │     same browser? used once? exchange, id_token, allow-list
 *       │  code <─────────────│ <────────────────────── code ticket
 *       │  token (code) ────────────────────────────────> access + refresh ticket, grant
 *       │  token (refresh) ─────────────────────────────> family record, refresh at the IdP, next tickets
 *       │  MCP request ─────────────────────────────────> authenticate: access ticket -> Caller
 *
 * Steps do not call one another: all that passes is a sealed ticket, carried by the browser or the client, so that a
 * restart or another replica between any two steps goes unnoticed. The store holds what must be seen once or by all:
 * used marks, one family record per login, revocations, and what is too long to be carried.
 */
import type { Context, Hono } from "hono";
import type { Inbound } from "../inbound.ts";
import { publicCors } from "../cors.ts";
import { challengeOf, mountMetadata } from "../metadata.ts";
import { asOAuthError, errorJson, noteFailure } from "./answers.ts";
import { authorize } from "./authorize.ts";
import { authenticate, isRevoked } from "./bearer.ts";
import { callbackStep } from "./callback.ts";
import { consent } from "./consent.ts";
import { funnelOf } from "./funnel.ts";
import type { BridgeParts } from "./parts.ts";
import { register } from "./register.ts";
import { Revocations } from "./revocations.ts";
import { revokeStep } from "./revoke.ts";
import { serverMetadata } from "./server_metadata.ts";
import { tokenBucket } from "./throttle.ts";
import { tokenStep } from "./token.ts";

/** How long a revocation by another process may go unnoticed. */
const rememberRevocationMs = 1_000;

/** A bridge over its parts; holds nothing that another one with the same keys and store would miss. */
export function createBridge(parts: BridgeParts): Inbound {
  const { config, clock, idp } = parts;
  const revocations = new Revocations(parts, {
    rememberMs: rememberRevocationMs,
    revokeBeforeMs: config.revokeBeforeMs,
  });
  const callback = callbackStep(parts, tokenBucket(config.idpExchange, clock));
  const token = tokenStep(parts, revocations);
  const revoke = revokeStep(parts, revocations);

  return {
    mount(app) {
      // Some clients go to the root of the origin without asking, also where we live below a path.
      const basePath = new URL(config.baseUrl).pathname.replace(/\/+$/, "");
      for (const base of new Set([basePath, ""])) {
        forPeople(app, "GET", `${base}/authorize`, (c) => authorize(parts, c));
        forPeople(app, "POST", `${base}/consent`, (c) => consent(parts, c));
        forPeople(app, "GET", base + config.paths.callback, callback);
        forPrograms(app, `${base}/token`, token);
        forPrograms(app, `${base}/revoke`, revoke);
        forPrograms(app, base + config.paths.register, (c) => registerAnswer(parts, c));
      }
      mountMetadata(app, config, {
        authorizationServers: [config.baseUrl],
        serverMetadata: () => serverMetadata(config, { documents: parts.documents !== undefined }),
      });
    },
    authenticate: (bearer) => authenticate(parts, revocations, bearer),
    challenge: (error) => challengeOf(config, error),
    revoked: (caller) => isRevoked(revocations, caller),
    ready: () => idp.ready(),
    reachable: () => idp.reachable(),
    [Symbol.asyncDispose]: () => Promise.resolve(funnelOf(parts).close()),
  };
}

type Step = (c: Context) => Promise<Response>;

/** An endpoint that a browser navigates to; no other web page may read it. */
function forPeople(app: Hono, method: "GET" | "POST", path: string, step: Step): void {
  app.on(method, path, step);
  app.all(path, wrongMethod(method === "GET" ? "GET, HEAD" : "POST"));
}

/** An endpoint that programs post to, from web pages as well. */
function forPrograms(app: Hono, path: string, step: Step): void {
  app.use(path, publicCors());
  app.post(path, step);
  app.all(path, wrongMethod("POST, OPTIONS"));
}

function wrongMethod(allow: string): () => Response {
  const body = { error: "invalid_request", error_description: "The method is not allowed here" };
  return () => Response.json(body, { status: 405, headers: { allow, "cache-control": "no-store" } });
}

async function registerAnswer(parts: BridgeParts, c: Context): Promise<Response> {
  try {
    return await register(parts, c);
  } catch (thrown) {
    const error = asOAuthError(thrown);
    noteFailure(parts, error, "register");
    return errorJson(error);
  }
}
