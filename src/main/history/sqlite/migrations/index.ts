// The numbered steps of the database's format. A step that was released is never edited: what must change becomes a new one.
import type { Connection } from '../connection.ts'
import { firstFormat } from './0001-first-format.ts'

export interface Migration {
  /** The `user_version` of a database after this step. Counts from 1 without gaps. */
  readonly version: number
  readonly name: string
  /** Runs inside a transaction, on a copy. */
  readonly up: (db: Connection) => void
  /** Tables whose number of rows this step is meant to change; all others are counted before and after. */
  readonly changesCountOf?: readonly string[]
}

export const migrations: readonly Migration[] = [firstFormat]
