/** Which store, and where. */
export type StoreConfig =
  | { readonly kind: "kv"; readonly path: string }
  | { readonly kind: "redis"; readonly url: string; readonly keyPrefix: string };
