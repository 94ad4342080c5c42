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
  if (Deno.env.get("DENO_TLS_CA_STORE") === undefined) Deno.env.set("DENO_TLS_CA_STORE", "mozilla,system");
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
