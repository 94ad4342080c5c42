import { startIdp, type TestIdp } from "../../tests/fakes/idp.ts";
import { startUpstream, type TestUpstream } from "../../tests/fakes/upstream.ts";

export interface DemoOptions {
  /** The sample server checks tokens itself. */
  readonly validating: boolean;
  /** Where the connector listens, if it is free. */
  readonly port: number;
  /** The demo runs until this resolves. */
  readonly until: Promise<void>;
}

/** What mcp-doorman stands between. */
export interface World extends AsyncDisposable {
  readonly idp: TestIdp;
  readonly upstream: TestUpstream;
}

/** The audience that the sample server asks of tokens when it validates them. */
export const audience = "mcp-server";

/** Starts the test IdP and the sample MCP server. */
export async function startWorld(validating: boolean): Promise<World> {
  const idp = await startIdp(validating ? { audience } : {});
  const upstream = startUpstream({
    name: "sample-server",
    ...(validating ? { validating: { issuer: idp.issuer, audience, metadata: false } } : {}),
  });
  return {
    idp,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
    },
  };
}

/** The port, or any free one when it is taken. */
export function freePort(wanted: number): number {
  for (const port of [wanted, 0]) {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return listener.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("Cannot find a free port");
}
