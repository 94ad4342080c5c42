/** The identity provider: what only http mode needs to know of it, and what one provider needs more. */
import { bool, text, url } from "../../base/kinds.ts";
import type { Settings } from "../../base/setting.ts";
import { idpGroup as group } from "./idp.ts";

export const idpHttpSettings = {
  groupsClaim: {
    kind: text,
    env: "GROUPS_CLAIM",
    flag: "groups-claim",
    defaultText: "groups; cognito:groups with aws-cognito",
    mode: "http",
    group,
    help: "The claim that lists a user's groups; dots lead into objects, as in realm_access.roles",
  },
  allowInsecureHttp: {
    kind: bool,
    env: "OIDC_ALLOW_INSECURE_HTTP",
    flag: "oidc-allow-insecure-http",
    default: false,
    mode: "http",
    group,
    help: "Accept an issuer without TLS that is not on this machine",
  },
  cognitoUserPoolId: {
    kind: text,
    env: "COGNITO_USER_POOL_ID",
    flag: "cognito-user-pool-id",
    mode: "http",
    group,
    help: "User pool, for aws-cognito",
  },
  cognitoAwsRegion: {
    kind: text,
    env: "COGNITO_AWS_REGION",
    flag: "cognito-aws-region",
    mode: "http",
    group,
    help: "Region of the user pool, for aws-cognito",
  },
  azureTenantId: {
    kind: text,
    env: "AZURE_TENANT_ID",
    flag: "azure-tenant-id",
    mode: "http",
    group,
    help: "Tenant, for azure",
  },
  azureIdentifierUri: {
    kind: text,
    env: "AZURE_IDENTIFIER_URI",
    flag: "azure-identifier-uri",
    defaultText: "api://<client id>",
    mode: "http",
    group,
    help: "Application ID URI that is put before scope names, for azure",
  },
  azureAuthority: {
    kind: url,
    env: "AZURE_AUTHORITY",
    flag: "azure-authority",
    defaultText: "https://login.microsoftonline.com",
    mode: "http",
    group,
    help: "Login host of a sovereign cloud, for azure",
  },
  googleHostedDomain: {
    kind: text,
    env: "GOOGLE_HOSTED_DOMAIN",
    flag: "google-hosted-domain",
    mode: "http",
    group,
    help: "Workspace domain that accounts must belong to, for google",
  },
} satisfies Settings;
