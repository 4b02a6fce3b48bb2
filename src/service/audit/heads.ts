// The signed heads of the audit log, in a file of the data folder: how far the chain had come, kept away from the chain itself.
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CompactSign, compactVerify } from 'jose'
import { z } from 'zod'
import { ALGORITHM, type SigningKeys } from '../auth/keys.ts'
import type { AuditHead, ChainReport } from './chain.ts'

const headSchema = z.object({ n: z.number().int(), hash: z.string(), at: z.number() })
/** Of the log in the data folder, and of the one that is shared: two chains. */
export const ownHeads = (dataDir: string): string => join(dataDir, 'audit.heads')
export const sharedHeads = (dataDir: string): string => join(dataDir, 'audit.shared.heads')

/** Durable when it resolves. */
export async function appendHead(path: string, keys: SigningKeys, head: AuditHead): Promise<void> {
  const signed = await new CompactSign(Buffer.from(JSON.stringify(head))).setProtectedHeader({ alg: ALGORITHM }).sign(keys.privateKey)
  const file = openSync(path, 'a', 0o600)
  try {
    appendFileSync(file, `${signed}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** `forged`: what is wrong with one that was not signed by this service, for people; null: all are good. */
export async function readHeads(path: string, keys: SigningKeys): Promise<{ heads: AuditHead[]; forged: string | null }> {
  const heads: AuditHead[] = []
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  for (const [index, line] of lines.entries()) {
    // A crash can tear the last line; a torn head says nothing, and the ones before it still hold.
    if (line === '' || index === lines.length - 1) continue
    try {
      const { payload } = await compactVerify(line, keys.publicKey, { algorithms: [ALGORITHM] })
      heads.push(headSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8'))))
    } catch {
      return { heads, forged: `Line ${index + 1} of ${basename(path)} was not signed by this service.` }
    }
  }
  return { heads, forged: null }
}

export function forgedReport(heads: readonly AuditHead[], reason: string): ChainReport {
  return { ok: false, entries: 0, heads: heads.length, brokenAt: null, reason }
}
