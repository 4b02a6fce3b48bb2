// What must be accounted for later: who used which key, who lifted a limit. A port; keeping it safe from changes is its adapter's.

export interface AuditEvent {
  /** What happened, in dotted words: `key.used`, `key.set`, `limit.overridden`. */
  readonly kind: string
  /** Unix ms. */
  readonly at: number
  /** Who did it: a user's id, or `service`. */
  readonly actor: string
  /** For whom; null: nobody's in particular. */
  readonly organisation: string | null
  /** What it was done to: the id of a key, a limit, a session. */
  readonly subject: string
  /** Ids, counts and names; never a secret, a prompt or an answer. */
  readonly details?: Readonly<Record<string, string | number>>
}

export interface Audit {
  /** Resolves when the event is durable; rejects with `CopilotError` when the store refuses. */
  record(event: AuditEvent): Promise<void>
}
