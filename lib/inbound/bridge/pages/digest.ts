const known = new Map<string, Promise<string>>();

/** SHA-256 as a Content-Security-Policy source has it; each text is digested once. */
export function sha256Base64(text: string): Promise<string> {
  let digest = known.get(text);
  if (digest === undefined) {
    digest = crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
      .then((bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))));
    known.set(text, digest);
  }
  return digest;
}
