/** The slices that both modes have. */
import type { HttpClientConfig } from "../base/http_config.ts";
import type { LogConfig } from "../base/log.ts";
import { present } from "./present.ts";
import type { StdioReading } from "./stdio_settings.ts";

/** How to log: `--silent` beats `--debug`, which beats `LOG_LEVEL`. */
export function logConfig({ values, given }: StdioReading, now: Date = new Date()): LogConfig {
  const rust = given.has("logLevel") ? undefined : rustLevel(values.rustLog);
  const level = values.silent ? "error" : values.debug ? "debug" : rust ?? values.logLevel;
  const stamp = now.toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return present({
    level,
    format: values.logFormat,
    file: values.logFile ?? (values.logToFile ? `${stamp}_mcp-doorman.log` : undefined),
  });
}

/** The level in a `RUST_LOG` text such as `debug` or `authful_mcp_proxy=debug`. */
function rustLevel(text: string | undefined): LogConfig["level"] | undefined {
  const words = ["trace", "debug", "info", "warn", "error"] as const;
  const first = text?.split(",")[0]?.split("=").at(-1)?.trim().toLowerCase();
  return words.find((word) => word === first);
}

/** The corporate network. */
export function httpClientConfig({ values, problems }: StdioReading): HttpClientConfig {
  const { caFile, nodeExtraCaCerts, sslCertFile, denoCert, clientCertFile, clientKeyFile } = values;
  if ((clientCertFile === undefined) !== (clientKeyFile === undefined)) {
    problems.push(
      "Cannot use CLIENT_CERT_FILE and CLIENT_KEY_FILE one without the other: set both or neither",
    );
  }
  const files = [caFile, nodeExtraCaCerts, sslCertFile, denoCert].filter((file) => file !== undefined);
  return present({
    caFiles: [...new Set(files)],
    proxyUrl: values.httpProxy?.href,
    noProxy: (values.noProxy ?? "").split(/[,\s]+/).filter((host) => host !== ""),
    clientCertFile,
    clientKeyFile,
  });
}

/** What clients are told that the server is. */
export function identityConfig({ values }: StdioReading) {
  return present({
    name: values.proxyName,
    version: values.proxyVersion,
    instructions: values.proxyInstructions,
    websiteUrl: values.proxyWebsiteUrl?.href,
  });
}
