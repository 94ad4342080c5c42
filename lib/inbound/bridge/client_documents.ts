/** A client id metadata document, as far as it matters here. */
export interface ClientDocument {
  readonly name?: string;
  readonly redirectUris: readonly string[];
  readonly auth: "none" | "private_key_jwt";
}

/** Clients whose id is the address of a document about them. */
export interface ClientDocuments {
  /** Whether this id is to be looked up here. */
  owns(clientId: string): boolean;
  /** @throws OAuthError `invalid_client` */
  find(clientId: string): Promise<ClientDocument>;
  /** Checks a `private_key_jwt` assertion (RFC 7523). @throws OAuthError `invalid_client` */
  verifyAssertion(clientId: string, assertion: string): Promise<void>;
}
