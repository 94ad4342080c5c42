/** Entra's on-behalf-of flow as it is documented: a user's token for our API becomes one for another API. */
import type { Refusal, StrictRules } from "./strict_idp.ts";

/** The API behind ours. */
export interface DownstreamApi {
  /** Such as `api://files`. */
  identifierUri: string;
  /** Scopes that it exposes, without prefix. */
  scopes: readonly string[];
  /** Whether somebody has consented to our app using it; default: yes. */
  consented?: boolean;
  /** Whether its conditional access asks for a second factor that the login did not have. */
  secondFactor?: boolean;
}

interface Options {
  readonly clientId: string;
  readonly tenantId: string;
  /** Audiences of tokens that are for our own app. */
  readonly ownAudiences: readonly string[];
  readonly downstream?: DownstreamApi;
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const invalidGrant = (description: string): Refusal => ({ error: "invalid_grant", description });

/** The rule for `startStrictIdp`. */
export function onBehalfOf(options: Options): NonNullable<StrictRules["otherGrant"]> {
  return async (form, { sign, verify }) => {
    const shape = shapeRefusal(form) ?? scopeRefusal(form, options.downstream);
    if (shape !== undefined) return { refusal: shape };
    const claims = await verify(form.get("assertion") ?? "");
    const nowSec = Math.floor(Date.now() / 1_000);
    if (claims === undefined || claims.scp === undefined) {
      return { refusal: invalidGrant("AADSTS50013: Assertion failed signature validation.") };
    }
    if (typeof claims.aud !== "string" || !options.ownAudiences.includes(claims.aud)) {
      return {
        refusal: invalidGrant(
          "AADSTS500131: Assertion audience does not match the Client app presenting it.",
        ),
      };
    }
    if ((claims.exp ?? 0) < nowSec) {
      return { refusal: invalidGrant("AADSTS500133: Assertion is not within its valid time range.") };
    }
    const { identifierUri = "", consented = true, secondFactor = false, scopes = [] } = options.downstream ??
      {};
    if (!consented) {
      const more = { suberror: "consent_required", error_codes: [65001] };
      return {
        refusal: { ...invalidGrant("AADSTS65001: The user or administrator has not consented."), more },
      };
    }
    if (secondFactor) {
      const description = "AADSTS50076: You must use multi-factor authentication.";
      const more = { suberror: "basic_action", claims: '{"access_token":{"capolids":{"essential":true}}}' };
      return { refusal: { error: "interaction_required", description, more } };
    }
    const asked = (form.get("scope") ?? "").split(" ").map((scope) => scope.slice(identifierUri.length + 1));
    const accessToken = await sign({
      iss: `https://sts.windows.net/${options.tenantId}/`,
      aud: identifierUri,
      appid: options.clientId,
      oid: claims.oid,
      sub: claims.sub,
      uti: crypto.randomUUID(),
      scp: (asked.includes(".default") ? scopes : asked).join(" "),
      nbf: nowSec,
      exp: nowSec + 3_600,
    });
    return {
      answer: { access_token: accessToken, token_type: "Bearer", expires_in: 3_599, ext_expires_in: 3_599 },
    };
  };
}

function shapeRefusal(form: URLSearchParams): Refusal | undefined {
  if (form.get("grant_type") !== jwtBearer) {
    return { error: "unsupported_grant_type", description: "AADSTS70003: grant type is not supported" };
  }
  if (form.has("resource") || form.has("audience") || form.has("subject_token")) {
    return { error: "invalid_request", description: "AADSTS901002: parameter is not supported" };
  }
  for (const name of ["requested_token_use", "assertion", "scope"]) {
    if (form.getAll(name).length !== 1 || form.get(name) === "") {
      return {
        error: "invalid_request",
        description: `AADSTS900144: The request body must contain '${name}'`,
      };
    }
  }
  return form.get("requested_token_use") === "on_behalf_of"
    ? undefined
    : { error: "invalid_request", description: "AADSTS240002: requested_token_use is not supported" };
}

function scopeRefusal(form: URLSearchParams, downstream: DownstreamApi | undefined): Refusal | undefined {
  const scopes = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "offline_access");
  const resources = new Set(scopes.map((scope) => scope.slice(0, scope.lastIndexOf("/"))));
  if (resources.size > 1) {
    return { error: "invalid_request", description: "AADSTS28000: scope contains more than one resource" };
  }
  const [resource = ""] = resources;
  if (downstream === undefined || resource !== downstream.identifierUri) {
    return {
      error: "invalid_resource",
      description: `AADSTS500011: The resource named ${resource} was not found`,
    };
  }
  const names = scopes.map((scope) => scope.slice(resource.length + 1));
  if (names.includes(".default") && names.length > 1) {
    return { error: "invalid_scope", description: "AADSTS70011: .default cannot be combined" };
  }
  const unknown = names.find((name) => name !== ".default" && !downstream.scopes.includes(name));
  return unknown === undefined
    ? undefined
    : { error: "invalid_scope", description: `AADSTS70011: The scope ${unknown} is not valid` };
}
