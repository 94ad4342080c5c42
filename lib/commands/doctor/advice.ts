/** What has to be set up at each provider, with the values of this configuration filled in. */
import type { IdpConfig } from "../../idp/config.ts";
import type { Report } from "./report.ts";

/** Adds notes only: nothing of this can be seen from the outside. */
export function adviseProvider(report: Report, idp: IdpConfig, redirectUri: string): void {
  const note = (check: string, message: string) => report.add("note", check, message);
  note("setup", `At the IdP, the client "${idp.clientId}" needs the redirect URI ${redirectUri}`);
  note("setup", `It is asked for the scopes: ${idp.scopes.join(" ")}`);
  switch (idp.provider) {
    case "google":
      note("setup", "Google: an app in the publishing status Testing loses its refresh tokens after 7 days");
      if (idp.quirks.hostedDomain === undefined) {
        note(
          "setup",
          "Google: anybody with an account can log in unless GOOGLE_HOSTED_DOMAIN or an allow-list is set",
        );
      }
      break;
    case "azure":
      note("setup", "Entra: register the redirect URI under the platform Web, not Single-page application");
      note(
        "setup",
        "Entra: the upstream gets version 1 tokens (issuer sts.windows.net) unless the app's manifest says " +
          "requestedAccessTokenVersion: 2",
      );
      note(
        "setup",
        "Entra: for groups, add the groups claim to the ID token in the app's token configuration",
      );
      break;
    case "aws-cognito":
      note(
        "setup",
        "Cognito: the app client must have a secret, the authorization code grant, and these scopes allowed",
      );
      note(
        "setup",
        "Cognito: access tokens have no aud; an upstream that checks them must look at client_id",
      );
      break;
    case "oidc":
      if (idp.audience !== undefined) {
        note(
          "setup",
          `The IdP must put the audience "${idp.audience}" into access tokens (Keycloak: an audience mapper; ` +
            "Auth0: an API with that identifier)",
        );
      }
  }
}
