// Which organisation a user belongs to, as the last token said: what is answered after a restart is still charged to the right
// one.
export interface Accounts {
  /** Kept when it resolves. */
  remember(userId: string, organisation: string): Promise<void>
  /** What is remembered beside the store; its row goes with the person's other data. */
  forget(userId: string): void
  organisationOf(userId: string): Promise<string | null>
}
