/** The IdPs whose assertions about users are trusted, each with its own keys. */
import type { Clock } from "../../base/clock.ts";
import type { HttpClient } from "../../base/http_client.ts";
import type { Logger } from "../../base/log.ts";
import { TokenRefused, tokenVerifier, unverifiedIssuer } from "../../crypto/access_token.ts";
import { remoteKeys } from "../../crypto/jwks.ts";
import { IdpError } from "../../idp/idp.ts";
import { idpServer } from "../../idp/server.ts";
import type { VerifyAssertion } from "./grant_assertion.ts";

/** Nothing is fetched before the first assertion of an issuer. `audience` is our own issuer. */
export function assertionIssuers(
  issuers: readonly string[],
  audience: string,
  context: { readonly http: HttpClient; readonly clock: Clock; readonly log: Logger },
): VerifyAssertion {
  const bare = (issuer: string) => issuer.replace(/\/$/, "");
  const verifiers = new Map(issuers.map((issuer) => {
    const server = idpServer({ provider: "assertions", issuerUrl: issuer, quirks: {} }, context);
    const uri = async () => {
      const { jwks_uri: found } = await server.metadata();
      if (found === undefined) throw new IdpError("transient", "no_jwks", `${issuer} names no jwks_uri`);
      return found;
    };
    return [bare(issuer), tokenVerifier(remoteKeys({ ...context, uri }), context.clock)];
  }));
  return async (assertion) => {
    const issuer = unverifiedIssuer(assertion);
    const verify = verifiers.get(bare(issuer ?? ""));
    if (issuer === undefined || verify === undefined) throw new TokenRefused("issuer");
    return await verify(assertion, {
      kind: "id_jag",
      issuers: [issuer],
      audiences: [audience, `${audience}/`],
    });
  };
}
