/**
 * The server scenarios of the conformance suite, twice: against a server of ours, and against the same server through
 * http mode with logins on.
 *
 *     suite ----------------------------------------------------> everything server
 *     suite -> injector (adds the token) -> http mode (bridge) -> everything server
 */
import { startEverything } from "../../tests/conformance/everything/server.ts";
import { startInjector } from "../../tests/conformance/injector.ts";
import { startIdp } from "../../tests/fakes/idp.ts";
import { unusedPort } from "../../tests/fakes/raw_upstream.ts";
import { startHttpMode } from "../../tests/support/http_mode.ts";
import { logIn } from "../../tests/support/oauth_client.ts";
import { checkLines, compare, type Comparison } from "./compare.ts";
import { runServerSuite, type ServerSuite, serverSuites } from "./server_suite.ts";

/** Runs every suite both ways, and prints each check. */
export async function compareServers(print: (line: string) => void): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const suite of serverSuites) {
    const comparison = await compareOne(suite);
    for (const line of checkLines(comparison)) print(line);
    comparisons.push(comparison);
  }
  return comparisons;
}

async function compareOne(suite: ServerSuite): Promise<Comparison> {
  await using upstream = startEverything();
  const direct = await runServerSuite(suite, upstream.url);

  await using behind = startEverything();
  await using idp = await startIdp();
  const port = unusedPort();
  using injector = startInjector(port);
  await using http = await startHttpMode({
    idp,
    upstreamUrl: behind.url,
    baseUrl: `http://localhost:${injector.port}`,
    port,
  });
  injector.token = (await logIn(http.mcpUrl)).tokens.access_token;
  const proxied = await runServerSuite(suite, http.mcpUrl);
  return compare(suite, direct, proxied);
}
