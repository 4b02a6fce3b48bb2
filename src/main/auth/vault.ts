// The port of the operating system's vault: what wraps the key of the history and the tokens.

export interface Vault {
  /**
   * `vault`: the OS keeps the wrapping key (Keychain, DPAPI, Secret Service). `file`: this system has none, secrets are
   * protected by file permissions only, and the person is told so.
   */
  readonly kind: 'vault' | 'file'
  /** Wraps a secret; the result may be stored. */
  seal(secret: Uint8Array): Promise<Uint8Array>
  /** @throws CopilotError `unauthenticated` when it was sealed by another account or machine. */
  open(sealed: Uint8Array): Promise<Uint8Array>
}
