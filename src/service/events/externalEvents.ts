// Events that other systems send by webhook, on their way to the agent: the port. Kept before they are acknowledged.

export interface ExternalEvent {
  readonly source: string
  /** The sender's id of this delivery: the same one twice is one event. */
  readonly deliveryId: string
  /** Ours; also its correlation id. */
  readonly eventId: string
  readonly type: string
  /** What was sent, as JSON text. */
  readonly body: string
  /** Unix ms. */
  readonly receivedAt: number
}

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store refuses. */
export interface ExternalEvents {
  /** The event as it is kept: the first delivery's, where there was one. */
  receive(event: ExternalEvent): Promise<{ readonly eventId: string; readonly isNew: boolean }>
  /** What nobody has handled yet, oldest first. */
  waiting(limit: number): Promise<readonly ExternalEvent[]>
  settle(eventId: string, now: number): Promise<void>
}
