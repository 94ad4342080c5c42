/** How a client proves who it is at a token endpoint: which method, and the key of `private_key_jwt`. */
import { UserError } from "../base/errors.ts";
import type { ServerMetadata } from "./server_metadata.ts";

/** The client authentication methods that we speak (RFC 6749 section 2.3, RFC 7523). */
export type AuthMethod = "none" | "client_secret_basic" | "client_secret_post" | "private_key_jwt";

/** A client and what it authenticates with. */
export interface ClientCredential {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** A PKCS#8 private key in PEM, for `private_key_jwt`. */
  readonly clientKey?: string;
  /** The `kid` to put into assertions. */
  readonly clientKeyId?: string;
  /** What registration returned, or the operator chose; found out from the metadata when absent. */
  readonly authMethod?: AuthMethod;
}

/** The method the registration gave, else by what we have and what the server takes: key, basic, post, none. */
export function chooseAuthMethod(client: ClientCredential, server: ServerMetadata): AuthMethod {
  const given = client.authMethod;
  if (given !== undefined && (given !== "private_key_jwt" || client.clientKey !== undefined)) {
    const needsSecret = given === "client_secret_basic" || given === "client_secret_post";
    if (!needsSecret || client.clientSecret !== undefined) return given;
  }
  if (client.clientKey !== undefined) return "private_key_jwt";
  if (client.clientSecret === undefined || client.clientSecret === "") return "none";
  // RFC 8414 section 2: without the member the default is client_secret_basic.
  const supported = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return supported.includes("client_secret_basic") ? "client_secret_basic" : "client_secret_post";
}

/** `user:password` of HTTP Basic, each part form-urlencoded (RFC 6749 section 2.3.1). */
export function basicCredentials(clientId: string, clientSecret: string): string {
  const encode = (text: string) => new URLSearchParams([["", text]]).toString().slice(1);
  return "Basic " + btoa(`${encode(clientId)}:${encode(clientSecret)}`);
}

type KeyAlgorithm = RsaHashedImportParams | EcKeyImportParams | { readonly name: "Ed25519" };

/** Object identifiers as they stand in a PKCS#8 key, with what Web Crypto calls them; the curve before `ecPublicKey`. */
const keyKinds: readonly (readonly [oid: string, algorithm: KeyAlgorithm])[] = [
  ["06082a8648ce3d030107", { name: "ECDSA", namedCurve: "P-256" }],
  ["06052b81040022", { name: "ECDSA", namedCurve: "P-384" }],
  ["06032b6570", { name: "Ed25519" }],
];
const rsaOid = "06092a864886f70d010101";

/**
 * Reads the key of `private_key_jwt`. `supported` is the server's list of signing algorithms.
 * @throws UserError when it is not a PKCS#8 PEM key of a kind that can sign.
 */
export async function importSigningKey(pem: string, supported?: readonly string[]): Promise<CryptoKey> {
  const body = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  if (body === undefined) {
    throw new UserError("Cannot read the client key: it is not a PKCS#8 PEM (BEGIN PRIVATE KEY)", {
      hint: "Convert it with `openssl pkcs8 -topk8 -nocrypt -in key.pem`.",
      exitCode: 2,
    });
  }
  try {
    const der = Uint8Array.from(atob(body.replaceAll(/\s+/g, "")), (character) => character.charCodeAt(0));
    const head = Array.from(der.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return await crypto.subtle.importKey("pkcs8", der, keyAlgorithm(head, supported), false, ["sign"]);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError("Cannot read the client key: it is damaged", { exitCode: 2, cause });
  }
}

function keyAlgorithm(head: string, supported: readonly string[] | undefined): KeyAlgorithm {
  if (head.includes(rsaOid)) {
    const pss = supported !== undefined && !supported.includes("RS256") && supported.includes("PS256");
    return { name: pss ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  }
  const kind = keyKinds.find(([oid]) => head.includes(oid))?.[1];
  if (kind !== undefined) return kind;
  throw new UserError("Cannot use the client key: it is neither RSA, P-256, P-384 nor Ed25519", {
    exitCode: 2,
  });
}
