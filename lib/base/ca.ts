/**
 * Which certificate authorities are trusted beyond the built-in list: the operator's files, those that the
 * environment names in the ways of Node, OpenSSL and Deno, and the system's store. All of them add; none replaces.
 */
import { describeError, UserError } from "./errors.ts";
import type { Logger } from "./log.ts";

/** The variables whose value is one PEM file. */
export const caFileVariables = ["DENO_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] as const;

/**
 * The PEM texts to give to an HTTP client, and the system's store switched on for it.
 * @throws UserError when one of `files` cannot be read; files named by the environment are only warned about.
 */
export function certificateAuthorities(files: readonly string[], log: Logger): string[] {
  // Read by the runtime when the first TLS connection is made; a compiled program has no other way to ask for it.
  if (!Deno.env.get("DENO_TLS_CA_STORE")) Deno.env.set("DENO_TLS_CA_STORE", baseStore());
  const found: string[] = [];
  const environment = environmentFiles();
  for (const file of files.filter((name) => !environment.some(([, other]) => other === name))) {
    try {
      found.push(pem(file));
    } catch (cause) {
      throw new UserError(`Cannot read CA file "${file}": ${describeError(cause)}`, {
        hint: "Give a PEM file with one or more certificates.",
        cause,
      });
    }
  }
  for (const [variable, file] of environment) {
    try {
      found.push(pem(file));
    } catch (error) {
      log.warn("ca_file_ignored", { setting: variable, file, cause: describeError(error) });
    }
  }
  return found;
}

/** Where the usual distributions keep their bundle. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * What is trusted before anything is added. Both lists together cost five times the CPU of either at the first TLS
 * connection (50 ms), so Linux has its own list where there is one. Windows fills its store only as needed, and macOS
 * may be behind: there both. With SSL_CERT_FILE or SSL_CERT_DIR the runtime's "system" would be these alone.
 */
function baseStore(): string {
  if (Deno.build.os !== "linux") return "mozilla,system";
  if (Deno.env.get("SSL_CERT_FILE") || Deno.env.get("SSL_CERT_DIR")) return "mozilla";
  return systemBundles.some(isFile) ? "system" : "mozilla";
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function environmentFiles(): [variable: string, file: string][] {
  const files: [string, string][] = [];
  for (const variable of caFileVariables) {
    const file = Deno.env.get(variable);
    if (file) files.push([variable, file]);
  }
  for (const folder of (Deno.env.get("SSL_CERT_DIR") ?? "").split(Deno.build.os === "windows" ? ";" : ":")) {
    if (folder === "") continue;
    for (const file of pemFilesIn(folder)) files.push(["SSL_CERT_DIR", file]);
  }
  return files;
}

function pemFilesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder))
      .filter((entry) => !entry.isDirectory && /\.(pem|crt|cer|\d+)$/.test(entry.name))
      .map((entry) => `${folder}/${entry.name}`);
  } catch {
    return [];
  }
}

function pem(file: string): string {
  const text = Deno.readTextFileSync(file);
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no PEM certificate");
  return text;
}
