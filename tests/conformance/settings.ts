/** How mcp-doorman is started for a scenario of the conformance suite: with the settings that a user would give. */
import { baseEnv, doormanCommand } from "../support/process.ts";

/** Command, environment and what has to be cleaned up. */
export interface DoormanSettings extends AsyncDisposable {
  readonly command: readonly string[];
  readonly env: Record<string, string>;
}

/** What the suite says about a scenario; the members depend on it. */
export type Context = Readonly<Record<string, unknown>>;

/** The document that the suite expects as client id where it offers client id metadata documents. */
const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";

/** The settings for one scenario; every run has a home folder of its own. */
export async function doormanSettings(scenario: string, context: Context): Promise<DoormanSettings> {
  const home = await Deno.makeTempDir({ prefix: "doorman-conformance-" });
  const { command, args } = doormanCommand();
  return {
    command: [command, ...args, "--no-banner"],
    env: {
      ...baseEnv(home),
      BROWSER: browser(),
      OIDC_REDIRECT_URL: `http://localhost:${freeCallbackPort()}/callback`,
      ...scenarioSettings(scenario, context),
    },
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

function scenarioSettings(scenario: string, context: Context): Record<string, string> {
  const text = (name: string) => typeof context[name] === "string" ? context[name] : "";
  switch (scenario) {
    case "auth/basic-cimd":
      return { CLIENT_METADATA_URL: clientMetadataUrl };
    case "auth/pre-registration":
      return { OIDC_CLIENT_ID: text("client_id"), OIDC_CLIENT_SECRET: text("client_secret") };
    case "auth/client-credentials-basic":
      return {
        OIDC_GRANT: "client_credentials",
        OIDC_CLIENT_ID: text("client_id"),
        OIDC_CLIENT_SECRET: text("client_secret"),
      };
    case "auth/client-credentials-jwt":
      return {
        OIDC_GRANT: "client_credentials",
        OIDC_CLIENT_ID: text("client_id"),
        OIDC_CLIENT_KEY: text("private_key_pem"),
      };
    default:
      return {};
  }
}

/** A person who agrees to everything, as a program. */
function browser(): string {
  const path = (relative: string) => new URL(relative, import.meta.url).pathname;
  const program = path("../stdio/browser_program.ts");
  return `${Deno.execPath()} run -A --config ${path("../../deno.json")} ${program} /dev/null nobody 0 %s`;
}

/** Below the ports that systems hand out by themselves, so that a connection of the suite's cannot sit on it. */
function freeCallbackPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 9_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Somebody has it; the next one.
    }
  }
}
