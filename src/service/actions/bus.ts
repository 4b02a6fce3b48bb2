// The action bus: takes an action to whoever executes it. A port.
import type { KeptAction } from './outbox.ts'

export interface ActionBus {
  /**
   * Resolves when the target has taken it. Throws `CopilotError`: one that may be retried (`unavailable`, `timeout`,
   * `rate_limited`) is, any other ends the action.
   */
  deliver(action: KeptAction, signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}
