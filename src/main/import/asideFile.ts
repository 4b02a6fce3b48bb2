// Aside's own export: checks its head, its records and its counts. The format is documented in docs/import-export.md.
import { z } from 'zod'
import { recordSchema, type HistoryRecord } from '../history/records.ts'
import { badFile } from './badFile.ts'
import { parseJson, type JsonPart } from './jsonSplitter.ts'

export const ASIDE_FORMAT = 'aside-history'
export const ASIDE_VERSION = 1
/** The member that holds the records. */
export const ASIDE_RECORDS = 'records'

const countsSchema = z.object({ sessions: z.number(), messages: z.number(), usage: z.number() })

export interface AsideReader {
  /** The record of a part; null for the file's own members. @throws CopilotError `invalid_request`, `conflict` for a newer version. */
  read(part: JsonPart): HistoryRecord | null
  /** Nothing more comes. @throws CopilotError `invalid_request` when it is not what the file said it holds. */
  end(): void
}

export interface AsideReaderOptions {
  /** Makes a record of version `n + 1` from one of version `n`; the first is for version 1. */
  readonly upgrades?: readonly ((record: unknown) => unknown)[]
}

export function createAsideReader({ upgrades = [] }: AsideReaderOptions = {}): AsideReader {
  const newest = upgrades.length + ASIDE_VERSION
  const seen = { session: 0, turn: 0, message: 0, usage: 0 }
  let isAside = false
  let version = 0
  let counts: z.infer<typeof countsSchema> | null = null

  function member(name: string, value: unknown): void {
    if (name === 'format') isAside = value === ASIDE_FORMAT
    if (name === 'version') version = versionOf(value)
    if (name === 'counts') counts = countsSchema.safeParse(value).data ?? null
  }

  function versionOf(value: unknown): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
      throw badFile('This file does not say which version of the format it has.')
    if (value > newest)
      throw badFile(`This file was written by a newer version of Aside (format ${value}, this one reads ${newest}). Update Aside, then import it.`)
    return value
  }

  function checkHead(): void {
    if (!isAside) throw badFile('This JSON file is neither an export of Aside nor one of ChatGPT.')
    if (version === 0) throw badFile('This file does not say which version of the format it has.')
  }

  return {
    read({ name, bytes }) {
      const value = parseJson(bytes)
      if (name !== null) {
        member(name, value)
        return null
      }
      checkHead()
      const current = upgrades.slice(version - 1).reduce((record, upgrade) => upgrade(record), value)
      const parsed = recordSchema.safeParse(current)
      if (!parsed.success) {
        const number = 1 + seen.session + seen.turn + seen.message + seen.usage
        throw badFile(
          `Record ${number} of this file is not what Aside writes (${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ').slice(0, 300)}).`
        )
      }
      const record = parsed.data
      if ((record.kind === 'message' || record.kind === 'turn') && seen.session === 0) throw badFile('This file begins with a message of no session.')
      seen[record.kind] += 1
      return record
    },
    end() {
      checkHead()
      if (counts === null) throw badFile('This file does not say how much it holds. It was changed by something other than Aside.')
      if (counts.sessions !== seen.session || counts.messages !== seen.message || counts.usage !== seen.usage) {
        throw badFile(
          `This file says that it holds ${counts.sessions} sessions and ${counts.messages} messages, but has ${seen.session} and ${seen.message}. A part of it is missing; export it again.`
        )
      }
    }
  }
}
