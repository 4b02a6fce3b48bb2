// What one numbered step of the database's format is.
import type { Connection } from '../connection.ts'

export interface Migration {
  /** The `user_version` of a database after this step. Counts from 1 without gaps. */
  readonly version: number
  readonly name: string
  /** Runs inside a transaction, on a copy. */
  readonly up: (db: Connection) => void
  /** Tables whose number of rows this step is meant to change; all others are counted before and after. */
  readonly changesCountOf?: readonly string[]
}
