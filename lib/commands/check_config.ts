import { caFileVariables } from "../base/ca.ts";
import { ConfigError } from "../base/errors.ts";
import { safeUrl } from "../base/log.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { processSurroundings, type Surroundings } from "../config/sources.ts";

/**
 * `--check-config`: says what is wrong, files that cannot be read included, and that nothing is when nothing is. Starts
 * nothing and asks nobody; that is what `doctor` does. @throws ConfigError
 */
export function checkConfig(argv: readonly string[], from: Surroundings = processSurroundings()): number {
  const config = loadConfig(argv.filter((arg) => arg !== "--check-config"), from);
  // What the machine has set for every program may be missing; what was given for this one may not.
  const ambient = caFileVariables.map((name) => from.env[name]);
  const files = filesOf(config);
  const problems = files.filter((file) => !ambient.includes(file)).flatMap((file) => unreadable(file, from));
  if (problems.length > 0) throw new ConfigError(problems);
  console.log(`The configuration is good: ${summary(config)}`);
  for (const line of files.flatMap((file) => unreadable(file, from))) console.log(`Note: ${line}`);
  if (config.mode === "http") {
    for (const { setting, hint } of config.warnings ?? []) console.log(`Note on ${setting}: ${hint}`);
  }
  return 0;
}

function filesOf(config: Config): string[] {
  const { caFiles, clientCertFile, clientKeyFile } = config.http;
  const { certFile, keyFile } = config.mode === "http" ? config.tls ?? {} : {};
  return [...caFiles, clientCertFile, clientKeyFile, certFile, keyFile].filter((file) => file !== undefined);
}

function unreadable(file: string, from: Surroundings): string[] {
  try {
    from.readFile(file);
    return [];
  } catch (error) {
    return [`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function summary(config: Config): string {
  if (config.mode === "stdio") return `stdio mode in front of ${safeUrl(config.upstreamUrl)}`;
  const { inbound, outbound, listen, upstream, dialect, store } = config;
  const where = inbound.shape === "none" ? "" : `, clients come to ${inbound.resource}`;
  const behind = upstream.kind === "url" ? safeUrl(upstream.url) : upstream.command[0];
  return `http mode (${dialect} defaults) on ${listen.hostname}:${listen.port}${where}; ` +
    `inbound ${inbound.shape}, outbound ${outbound.mode}, store ${store.kind}, upstream ${behind}`;
}
