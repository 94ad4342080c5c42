/**
 * The skeleton of a provider that refuses what a real one is documented to refuse. It plays the whole code flow with
 * one user who is always logged in; what a provider does differently is in its own file (`google.ts`, `entra.ts`,
 * `cognito.ts`), as rules that return the refusal or nothing.
 */
import { compactVerify, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { keepOAuth } from "../support/secrets.ts";

/** What a request is refused with; `page`: shown to the user, not sent back to the client. */
export interface Refusal {
  readonly error: string;
  readonly description?: string;
  /** Further members of the error answer. */
  readonly more?: Record<string, unknown>;
  readonly page?: boolean;
  readonly status?: number;
}

/** A grant, from the authorization request on. */
export interface FakeGrant {
  readonly authorize: URLSearchParams;
  readonly scopes: readonly string[];
  used: boolean;
}

/** What the provider does differently. */
export interface StrictRules {
  /** Path of the issuer on its origin, such as `/tenant/v2.0`. */
  readonly issuerPath: string;
  /** Where the two endpoints are, in place of `/authorize` and `/token`. */
  readonly paths?: { readonly authorize: string; readonly token: string };
  /** The `iss` of id_tokens; default: the issuer. */
  readonly idTokenIssuer?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly discovery: (issuer: string, origin: string) => Record<string, unknown>;
  readonly authorize: (query: URLSearchParams) => Refusal | undefined;
  readonly token: (form: URLSearchParams, grant: FakeGrant | undefined) => Refusal | undefined;
  /** Whether this token answer carries a refresh token. */
  readonly givesRefreshToken: (form: URLSearchParams, grant: FakeGrant) => boolean;
  readonly idTokenClaims: (grant: FakeGrant) => Record<string, unknown>;
  readonly accessToken: (grant: FakeGrant, sign: Sign) => string | Promise<string>;
  /** Any other grant than by code or refresh token, once the client is known: the token answer, or the refusal. */
  readonly otherGrant?: (
    form: URLSearchParams,
    keys: { readonly sign: Sign; readonly verify: Verify },
  ) => Promise<{ readonly answer: Record<string, unknown> } | { readonly refusal: Refusal }>;
  /** Further members of the token answer. */
  readonly answer?: (grant: FakeGrant) => Record<string, unknown>;
}

export type Sign = (claims: Record<string, unknown>, type?: string) => Promise<string>;

/** The claims of a token that was signed here, whatever its times say. */
export type Verify = (token: string) => Promise<JWTPayload | undefined>;

export interface StrictIdp extends AsyncDisposable {
  readonly origin: string;
  readonly issuer: string;
  readonly redirectUris: string[];
  readonly authorizeRequests: URLSearchParams[];
  readonly tokenRequests: URLSearchParams[];
  /** Every refusal so far, so that a test can see that there was none. */
  readonly refusals: Refusal[];
}

const usualGrants = ["authorization_code", "refresh_token"];

export async function startStrictIdp(rules: StrictRules): Promise<StrictIdp> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: crypto.randomUUID(), use: "sig", alg: "RS256" };
  const grants = new Map<string, FakeGrant>();
  const [redirectUris, refusals]: [string[], Refusal[]] = [[], []];
  const [authorizeRequests, tokenRequests]: [URLSearchParams[], URLSearchParams[]] = [[], []];
  const sign: Sign = (claims, typ = "JWT") =>
    new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: jwk.kid, typ }).sign(privateKey);

  const verify: Verify = (token) =>
    compactVerify(token, publicKey).then(() => decodeJwt(token), () => undefined);
  const paths = rules.paths ?? { authorize: "/authorize", token: "/token" };

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const issuer = url.origin + rules.issuerPath;
    switch (url.pathname) {
      case `${rules.issuerPath}/.well-known/openid-configuration`:
        return Response.json(discovery(issuer, url.origin));
      case paths.authorize:
        return authorize(url.searchParams);
      case paths.token:
        return await token(request, issuer);
      case "/jwks":
        return Response.json({ keys: [jwk] });
      default:
        return Response.json({ error: "not found" }, { status: 404 });
    }
  });

  function discovery(issuer: string, origin: string): Record<string, unknown> {
    return {
      issuer,
      authorization_endpoint: origin + paths.authorize,
      token_endpoint: origin + paths.token,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      ...rules.discovery(issuer, origin),
    };
  }

  function authorize(query: URLSearchParams): Response {
    authorizeRequests.push(query);
    keepOAuth(query);
    const redirectUri = query.get("redirect_uri") ?? "";
    const refusal = basicRefusal(query) ?? rules.authorize(query);
    if (refusal !== undefined) refusals.push(refusal);
    if (refusal?.page === true) {
      return new Response(`<h1>${refusal.error}</h1>${refusal.description ?? ""}`, {
        status: refusal.status ?? 400,
        headers: { "content-type": "text/html" },
      });
    }
    const back = new URL(redirectUri);
    if (refusal === undefined) {
      const code = crypto.randomUUID();
      const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
      grants.set(code, { authorize: query, scopes, used: false });
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", refusal.error);
      back.searchParams.set("error_description", refusal.description ?? "");
    }
    const state = query.get("state");
    if (state !== null) back.searchParams.set("state", state);
    return new Response(null, { status: 302, headers: { location: back.href } });
  }

  function basicRefusal(query: URLSearchParams): Refusal | undefined {
    if (query.get("client_id") !== rules.clientId) return { error: "invalid_client", page: true };
    if (!redirectUris.includes(query.get("redirect_uri") ?? "")) {
      return { error: "redirect_uri_mismatch", page: true };
    }
    if (query.get("response_type") !== "code") return { error: "unsupported_response_type" };
    for (const name of query.keys()) {
      if (query.getAll(name).length > 1) return { error: "invalid_request", description: `repeated ${name}` };
    }
    return undefined;
  }

  async function token(request: Request, issuer: string): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    tokenRequests.push(form);
    keepOAuth(form);
    if (rules.otherGrant !== undefined && !usualGrants.includes(form.get("grant_type") ?? "")) {
      const wrongClient = clientRefusal(request, form);
      if (wrongClient !== undefined) return refused(wrongClient);
      const outcome = await rules.otherGrant(form, { sign, verify });
      return "refusal" in outcome ? refused(outcome.refusal) : Response.json(outcome.answer);
    }
    const isCode = form.get("grant_type") === "authorization_code";
    const handle = form.get(isCode ? "code" : "refresh_token") ?? "";
    const grant = grants.get(handle);
    const refusal = clientRefusal(request, form) ?? await grantRefusal(form, grant, isCode) ??
      rules.token(form, grant);
    if (refusal !== undefined || grant === undefined) {
      return refused(refusal ?? { error: "invalid_grant" });
    }
    if (isCode) grant.used = true;
    const refreshToken = rules.givesRefreshToken(form, grant) ? crypto.randomUUID() : undefined;
    if (refreshToken !== undefined) grants.set(refreshToken, { ...grant, used: false });
    const nowSec = Math.floor(Date.now() / 1000);
    const nonce = grant.authorize.get("nonce");
    const idToken = grant.scopes.includes("openid")
      ? await sign({
        iss: rules.idTokenIssuer ?? issuer,
        aud: rules.clientId,
        iat: nowSec,
        exp: nowSec + 3600,
        ...(isCode && nonce !== null ? { nonce } : {}),
        ...rules.idTokenClaims(grant),
      })
      : undefined;
    const answer = {
      access_token: await rules.accessToken(grant, sign),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: refreshToken,
      id_token: idToken,
      ...rules.answer?.(grant),
    };
    keepOAuth(answer);
    return Response.json(answer, { headers: { "cache-control": "no-store" } });
  }

  function refused(found: Refusal): Response {
    refusals.push(found);
    return Response.json(
      { error: found.error, error_description: found.description, ...found.more },
      { status: found.status ?? 400 },
    );
  }

  function clientRefusal(request: Request, form: URLSearchParams): Refusal | undefined {
    // Only pages of other sites send one; Keycloak for one refuses those that the client is not made for.
    if (request.headers.has("origin")) return { error: "invalid_request", description: "Invalid origin" };
    const authorization = request.headers.get("authorization");
    const [id, secret] = authorization === null
      ? [form.get("client_id"), form.get("client_secret")]
      : atob(authorization.replace(/^Basic /, "")).split(":").map((part) => decodeURIComponent(part));
    if (authorization !== null && form.has("client_secret")) return { error: "invalid_request", status: 400 };
    return id === rules.clientId && secret === rules.clientSecret
      ? undefined
      : { error: "invalid_client", status: 401 };
  }

  async function grantRefusal(form: URLSearchParams, grant: FakeGrant | undefined, isCode: boolean) {
    if (grant === undefined) return { error: "invalid_grant" };
    if (!isCode) {
      return form.get("grant_type") === "refresh_token" ? undefined : { error: "unsupported_grant_type" };
    }
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(form.get("code_verifier") ?? ""),
    );
    const challenge = btoa(String.fromCharCode(...new Uint8Array(digest)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const good = !grant.used && grant.authorize.get("redirect_uri") === form.get("redirect_uri") &&
      grant.authorize.get("code_challenge") === challenge;
    return good ? undefined : { error: "invalid_grant" };
  }

  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    origin,
    issuer: origin + rules.issuerPath,
    redirectUris,
    authorizeRequests,
    tokenRequests,
    refusals,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
