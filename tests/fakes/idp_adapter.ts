/** What the test IdP remembers, by `Model:id`. */
export type MemoryRecords = Map<string, { payload: Payload; expiresAtMs: number | undefined }>;

// deno-lint-ignore no-explicit-any -- oidc-provider's models differ in shape
type Payload = any;

/** The storage class that oidc-provider asks for, over one map that outlives a provider. */
export function memoryAdapter(records: MemoryRecords) {
  return class {
    constructor(readonly model: string) {}

    #key(id: string): string {
      return `${this.model}:${id}`;
    }

    #find(test: (payload: Payload) => boolean): Payload | undefined {
      for (const [key, record] of records) {
        if (key.startsWith(`${this.model}:`) && alive(record) && test(record.payload)) return record.payload;
      }
      return undefined;
    }

    upsert(id: string, payload: Payload, expiresInSec?: number): Promise<void> {
      const expiresAtMs = expiresInSec === undefined ? undefined : Date.now() + expiresInSec * 1000;
      records.set(this.#key(id), { payload, expiresAtMs });
      return Promise.resolve();
    }

    find(id: string): Promise<Payload | undefined> {
      const record = records.get(this.#key(id));
      return Promise.resolve(record !== undefined && alive(record) ? record.payload : undefined);
    }

    findByUserCode(userCode: string): Promise<Payload | undefined> {
      return Promise.resolve(this.#find((payload) => payload.userCode === userCode));
    }

    findByUid(uid: string): Promise<Payload | undefined> {
      return Promise.resolve(this.#find((payload) => payload.uid === uid));
    }

    consume(id: string): Promise<void> {
      const record = records.get(this.#key(id));
      if (record !== undefined) record.payload.consumed = Math.floor(Date.now() / 1000);
      return Promise.resolve();
    }

    destroy(id: string): Promise<void> {
      records.delete(this.#key(id));
      return Promise.resolve();
    }

    revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, record] of records) {
        if (key.startsWith(`${this.model}:`) && record.payload.grantId === grantId) records.delete(key);
      }
      return Promise.resolve();
    }
  };
}

function alive(record: { expiresAtMs: number | undefined }): boolean {
  return record.expiresAtMs === undefined || record.expiresAtMs > Date.now();
}
