// What every room of the store shares: one connection, its statements, the clock, the index.
import { CopilotError } from '../../../shared/errors.ts'
import type { Connection, Statements } from './connection.ts'
import type { SearchIndex } from './searchIndex.ts'

export interface Core {
  readonly db: Connection
  readonly sql: Statements
  readonly now: () => number
  readonly index: SearchIndex
}

/** Runs an action in one transaction. */
export type Transact = <T>(action: () => T) => T

export type Thing = 'session' | 'message' | 'turn'
export function notFound(thing: Thing): CopilotError {
  return new CopilotError('not_found', `This ${thing} is not in the history. It may have been removed.`)
}
