/**
 * JSON values of any size in Deno KV, whose own end at 65,536 bytes. What is longer is kept in parts:
 *
 *   [kind, key]                     the value, or {chunks, of}: how many parts, and under which id
 *   ["part", kind, key, of, 0…]     the parts
 *
 * The parts come first, under an id of their own, and then the one write that names them: whoever dies on the way
 * leaves the old value as it was, and parts that the next write clears away. The caller holds the cache's lock.
 * Values are JSON bytes, since what Deno itself writes for an object cannot be read by an older Deno.
 */

/** The parts of Deno KV that are used. */
export type KvStore = Pick<Deno.Kv, "get" | "set" | "delete" | "list">;

/** Two words that name one value. */
export type ValueName = readonly [kind: string, key: string];

const largestBytes = 65_536;

/** The value; `undefined` when there is none or it cannot be understood. */
export async function readValue(kv: KvStore, name: ValueName): Promise<unknown> {
  return await wholeValue(kv, name, (await kv.get(name)).value);
}

/** All values of a kind, those that can be understood. */
export async function readValues(
  kv: KvStore,
  kind: string,
): Promise<readonly [key: string, value: unknown][]> {
  const found: [string, unknown][] = [];
  for await (const entry of kv.list({ prefix: [kind] })) {
    const key = String(entry.key[1]);
    found.push([key, await wholeValue(kv, [kind, key], entry.value)]);
  }
  return found;
}

/** Replaces the value as a whole. */
export async function writeValue(kv: KvStore, name: ValueName, value: unknown): Promise<void> {
  const bytes = toBytes(value);
  if (bytes.length <= largestBytes) {
    await kv.set(name, bytes);
    await clearParts(kv, name);
    return;
  }
  const of = crypto.randomUUID();
  const chunks = Math.ceil(bytes.length / largestBytes);
  for (let at = 0; at < chunks; at++) {
    await kv.set(["part", ...name, of, at], bytes.slice(at * largestBytes, (at + 1) * largestBytes));
  }
  await kv.set(name, toBytes({ chunks, of }));
  await clearParts(kv, name, of);
}

/** Removes the value; nothing happens when there is none. */
export async function deleteValue(kv: KvStore, name: ValueName): Promise<void> {
  await kv.delete(name);
  await clearParts(kv, name);
}

async function wholeValue(kv: KvStore, name: ValueName, stored: unknown): Promise<unknown> {
  const value = fromBytes(stored);
  const { chunks, of } = (value ?? {}) as { chunks?: unknown; of?: unknown };
  if (typeof chunks !== "number" || typeof of !== "string") return value;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const entry of kv.list({ prefix: ["part", ...name, of] })) {
    if (entry.value instanceof Uint8Array) parts.push(new Uint8Array(entry.value));
  }
  return parts.length === chunks ? fromBytes(await new Blob(parts).bytes()) : undefined;
}

async function clearParts(kv: KvStore, name: ValueName, except?: string): Promise<void> {
  for await (const { key } of kv.list({ prefix: ["part", ...name] })) {
    if (key[3] !== except) await kv.delete(key);
  }
}

function toBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function fromBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(value));
  } catch {
    return undefined;
  }
}
