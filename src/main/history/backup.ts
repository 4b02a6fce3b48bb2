// The single file of a backup: who can open it, what it holds, and the encrypted database itself. Pure, but for the ciphers.
//
//   "ASIDE-BACKUP\n" · u32 length of the header · header, JSON · HMAC-SHA256 of all before it · the database, encrypted
//
// The database has a key of its own, made for this file; the header holds it, sealed by the passphrase or the history's key.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { derivedKey, newScrypt, scryptSchema, seal, unseal, wrapKeyOfSync } from './sealing.ts'

export const BACKUP_VERSION = 1
const MAGIC = Buffer.from('ASIDE-BACKUP\n')
const MAC_LENGTH = 32
const MOST_HEADER = 65_536
/** Magic and length of the header. */
export const PREFIX_LENGTH = MAGIC.byteLength + 4

const headerSchema = z.object({
  version: z.literal(BACKUP_VERSION),
  createdAt: z.number().int().nonnegative(),
  /** Of the database's format. */
  format: z.number().int().positive(),
  counts: z.object({ sessions: z.number().int().nonnegative(), messages: z.number().int().nonnegative() }),
  payload: z.object({ bytes: z.number().int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  key: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('passphrase'), scrypt: scryptSchema, sealed: z.base64() }),
    z.object({ kind: z.literal('history'), sealed: z.base64() })
  ])
})
export type BackupHeader = z.infer<typeof headerSchema>

export interface BackupAbout extends Omit<BackupHeader, 'version' | 'key'> {
  /** Of the database in the file. */
  readonly dataKey: Uint8Array
  readonly passphrase: string | null
  readonly historyKey: Uint8Array
}

const PURPOSE = 'aside backup'
const FOREIGN = 'This file is not a backup made by Aside. Nothing was changed; choose another file.'
const NEWER = 'This backup was made by a newer version of Aside. Nothing was changed; update Aside, then restore it.'
export const CUT_SHORT =
  'This backup is cut short: a part of it is missing. Nothing was changed; copy it again from where it came from, or choose another.'
export const DAMAGED =
  'This backup is damaged: it is not what Aside wrote. Nothing was changed; copy it again from where it came from, or choose another.'
const WRONG = 'This is not the passphrase of this backup. Nothing was changed; try again.'
const WANTED = 'This backup is protected by a passphrase. Enter the passphrase it was made with.'
const OTHERS =
  'This backup was made without a passphrase by another Aside, so its key is not here. Nothing was changed; restore it where it was made.'

/** What stands before the database. */
export function encodeHead({ dataKey, passphrase, historyKey, ...about }: BackupAbout): Buffer {
  const scrypt = passphrase === null ? null : newScrypt()
  const key: BackupHeader['key'] =
    scrypt === null || passphrase === null
      ? { kind: 'history', sealed: base64(seal(dataKey, derivedKey(historyKey, PURPOSE), PURPOSE)) }
      : { kind: 'passphrase', scrypt, sealed: base64(seal(dataKey, wrapKeyOfSync(passphrase, scrypt), PURPOSE)) }
  const header: BackupHeader = { version: BACKUP_VERSION, ...about, key }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.byteLength)
  const head = Buffer.concat([MAGIC, length, json])
  return Buffer.concat([head, macOf(head, dataKey)])
}

export function newDataKey(): Uint8Array {
  return Uint8Array.from(randomBytes(32))
}

/** How long the head is, from its first `PREFIX_LENGTH` bytes. @throws CopilotError `invalid_request` for a foreign or cut file. */
export function headLength(prefix: Uint8Array): number {
  const given = Buffer.from(prefix)
  if (!given.subarray(0, MAGIC.byteLength).equals(MAGIC.subarray(0, given.byteLength)) || given.byteLength === 0) {
    throw new CopilotError('invalid_request', FOREIGN)
  }
  if (given.byteLength < PREFIX_LENGTH) throw new CopilotError('invalid_request', CUT_SHORT)
  const length = given.readUInt32BE(MAGIC.byteLength)
  if (length > MOST_HEADER) throw new CopilotError('invalid_request', DAMAGED)
  return PREFIX_LENGTH + length + MAC_LENGTH
}

export interface OpenedHead {
  readonly header: BackupHeader
  readonly dataKey: Uint8Array
}

/** @throws CopilotError `invalid_request`, `conflict` (newer), `unauthenticated` (passphrase), in words for people. */
export function openHead(bytes: Uint8Array, passphrase: string | null, historyKeys: readonly Uint8Array[]): OpenedHead {
  const head = Buffer.from(bytes)
  const length = headLength(head)
  if (head.byteLength < length) throw new CopilotError('invalid_request', CUT_SHORT)
  const signed = head.subarray(0, length - MAC_LENGTH)
  const header = parseHeader(signed.subarray(PREFIX_LENGTH))
  const dataKey = keyOf(header, passphrase, historyKeys)
  if (!timingSafeEqual(macOf(signed, dataKey), head.subarray(length - MAC_LENGTH, length))) throw new CopilotError('invalid_request', DAMAGED)
  return { header, dataKey }
}

function parseHeader(json: Uint8Array): BackupHeader {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(json).toString('utf8'))
  } catch (error) {
    throw new CopilotError('invalid_request', DAMAGED, { cause: error })
  }
  const version = z.object({ version: z.number().int() }).safeParse(value)
  if (version.success && version.data.version > BACKUP_VERSION) throw new CopilotError('conflict', NEWER)
  const parsed = headerSchema.safeParse(value)
  if (!parsed.success) throw new CopilotError('invalid_request', DAMAGED)
  return parsed.data
}

function keyOf({ key }: BackupHeader, passphrase: string | null, historyKeys: readonly Uint8Array[]): Uint8Array {
  const sealed = Buffer.from(key.sealed, 'base64')
  if (key.kind === 'passphrase') {
    if (passphrase === null) throw new CopilotError('unauthenticated', WANTED)
    const opened = unseal(sealed, wrapKeyOfSync(passphrase, key.scrypt), PURPOSE)
    if (opened === null) throw new CopilotError('unauthenticated', WRONG)
    return opened
  }
  for (const historyKey of historyKeys) {
    const opened = unseal(sealed, derivedKey(historyKey, PURPOSE), PURPOSE)
    if (opened !== null) return opened
  }
  throw new CopilotError('unauthenticated', OTHERS)
}

function macOf(head: Uint8Array, dataKey: Uint8Array): Buffer {
  return createHmac('sha256', derivedKey(dataKey, `${PURPOSE} head`))
    .update(head)
    .digest()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
