import { UserError } from "../base/errors.ts";

/** Reads certificate and key. @throws UserError when one cannot be read */
export async function readTls(
  files: { readonly certFile: string; readonly keyFile: string } | undefined,
): Promise<{ readonly tls?: { readonly cert: string; readonly key: string } }> {
  if (files === undefined) return {};
  const [cert, key] = await Promise.all([
    readPem(files.certFile, "certificate", /-----BEGIN CERTIFICATE-----/),
    readPem(files.keyFile, "key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/),
  ]);
  return { tls: { cert, key } };
}

async function readPem(file: string, what: string, marker: RegExp): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw new UserError(
      `Cannot read the TLS ${what} "${file}": ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
  if (!marker.test(text)) throw new UserError(`Cannot use the TLS ${what} "${file}": it is not PEM`);
  return text;
}
