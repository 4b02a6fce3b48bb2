// Whose meeting a question was asked in, as its context says.
import type { Question } from '../../shared/turn.ts'

/** The client's name as it was written; empty: none is named. */
export function clientOf({ context }: Question): string {
  return context['client_name'] ?? ''
}
