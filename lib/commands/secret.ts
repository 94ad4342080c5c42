/** Prints a signing secret: 48 random bytes as 64 characters. */
export function run(): Promise<number> {
  const bytes = crypto.getRandomValues(new Uint8Array(48));
  console.log(bytes.toBase64({ alphabet: "base64url" }));
  return Promise.resolve(0);
}
