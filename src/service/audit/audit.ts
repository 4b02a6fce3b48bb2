// The audit log's port: who did what to what, and when. Never content, never secrets: ids, counts and kinds.

/** Everything that is audited. A closed list, so that a report can be read without the source. */
export const auditActions = [
  'service.started',
  'service.stopped',
  'provider-key.set',
  'provider-key.removed',
  'provider-key.used',
  'client-key.added',
  'client-key.revoked',
  'limit.overridden',
  'limit.restored',
  'limit.override.refused',
  'budget.exhausted',
  'access.denied',
  'injection.blocked',
  'credential.masked',
  'review.requested',
  'review.decided',
  'action.executed',
  'person.exported',
  'person.erased',
  'retention.pruned',
  'document.added',
  'document.removed'
] as const
export type AuditAction = (typeof auditActions)[number]

export interface AuditEvent {
  /** Who: a user id, `service`, or a client key's id. */
  readonly actor: string
  readonly action: AuditAction
  /** What it was done to: the id of a turn, user, provider, budget. */
  readonly subject: string
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

export interface Audit {
  /** Durable when it resolves. Rejects with `CopilotError` `unavailable` when the disk refuses: what must be audited is then not done. */
  record(event: AuditEvent): Promise<void>
}
