// The hash chain of the audit log, pure: every entry carries the hash of the one before, and signed heads say how far the
// chain had come at a time, so that neither a changed entry nor a cut end goes unnoticed.
import { createHash } from 'node:crypto'
import type { AuditEvent } from './audit.ts'

export interface AuditEntry extends Required<AuditEvent> {
  /** From 1, without gaps. */
  readonly n: number
  /** Unix ms. */
  readonly at: number
  /** SHA-256 of the entry before, hex; of nothing for the first: 64 zeros. */
  readonly previous: string
  readonly hash: string
}

/** How far the chain had come. Kept outside the database, signed. */
export interface AuditHead {
  readonly n: number
  readonly hash: string
  readonly at: number
}

export const START_HASH = '0'.repeat(64)

/** One text for one entry: names in alphabetical order, so that the hash does not hang on how a row was read. */
function canonical({ n, at, actor, action, subject, details, previous }: Omit<AuditEntry, 'hash'>): string {
  const sorted = Object.fromEntries(Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1)))
  return JSON.stringify([n, at, actor, action, subject, sorted, previous])
}

export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256').update(canonical(entry)).digest('hex')
}

/** The next entry of a chain that ends in `last`. */
export function nextEntry(last: Pick<AuditEntry, 'n' | 'hash'> | null, event: AuditEvent, at: number): AuditEntry {
  const body = {
    n: (last?.n ?? 0) + 1,
    at,
    // The hash must be of what can be read again, and half a surrogate pair is kept by no database.
    actor: event.actor.toWellFormed(),
    action: event.action,
    subject: event.subject.toWellFormed(),
    details: Object.fromEntries(
      Object.entries(event.details ?? {}).map(([name, value]) => [name.toWellFormed(), typeof value === 'string' ? value.toWellFormed() : value])
    ),
    previous: last?.hash ?? START_HASH
  }
  return { ...body, hash: hashOf(body) }
}

export interface ChainReport {
  readonly ok: boolean
  readonly entries: number
  readonly heads: number
  /** Number of the first entry that is not as it was written; null: all are. */
  readonly brokenAt: number | null
  /** For people; empty when all is well. */
  readonly reason: string
}

/** Takes the entries in order. */
export interface ChainCheck {
  /** The report when the entry is not as it was written; null: go on. */
  take(entry: AuditEntry): ChainReport | null
  /** After the last entry. */
  end(): ChainReport
}

/**
 * `heads` are those whose signature was good; a head beyond the end says that entries are missing, a head with another hash that
 * the chain was written anew.
 */
export function createChainCheck(heads: readonly AuditHead[]): ChainCheck {
  const waiting = new Map<number, AuditHead[]>()
  for (const head of heads) waiting.set(head.n, [...(waiting.get(head.n) ?? []), head])
  let last: AuditEntry | null = null
  let count = 0
  const broken = (at: number, reason: string): ChainReport => ({ ok: false, entries: count, heads: heads.length, brokenAt: at, reason })
  return {
    take(entry) {
      const expected: number = (last?.n ?? 0) + 1
      if (entry.n !== expected) return broken(expected, `Entry ${expected} is missing; the next one is ${entry.n}.`)
      if (entry.previous !== (last?.hash ?? START_HASH)) return broken(entry.n, `Entry ${entry.n} does not follow the one before it.`)
      if (hashOf(entry) !== entry.hash) return broken(entry.n, `Entry ${entry.n} was changed after it was written.`)
      if (waiting.get(entry.n)?.some((head) => head.hash !== entry.hash)) return broken(entry.n, `The chain up to entry ${entry.n} was written anew.`)
      last = entry
      count += 1
      return null
    },
    end() {
      const missing = heads.find((head) => head.n > count)
      if (missing !== undefined) return broken(count + 1, `The log ends at entry ${count}, but had ${missing.n} entries before.`)
      return { ok: true, entries: count, heads: heads.length, brokenAt: null, reason: '' }
    }
  }
}

/** Reads the whole chain once. */
export function verifyChain(entries: Iterable<AuditEntry>, heads: readonly AuditHead[]): ChainReport {
  const check = createChainCheck(heads)
  for (const entry of entries) {
    const broken = check.take(entry)
    if (broken !== null) return broken
  }
  return check.end()
}
