import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newQuestion, newSession, START } from '../../../../test/fakes/historySamples.ts'
import { CopilotError } from '../../../shared/errors.ts'
import { openStore } from '../history.sqlite.ts'
import { makeBackup, prepareRestore, type BackupTask } from './backups.ts'
import { openConnection } from './connection.ts'

const key = new Uint8Array(32).fill(7)
let dataDir: string
let file: string
let whole: Buffer
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-backups-'))
  file = join(dataDir, 'mine.aside-backup')
  const { store } = openStore({ dataDir, key, clock: { now: () => START } })
  store.createSession(newSession('s1'))
  for (let n = 1; n <= 40; n++) store.accept({ question: newQuestion(n, `question ${n} of mandrake`), messageId: `q${n}`, at: START })
  makeBackup(task())
  store.close()
  whole = readFileSync(file)
})
afterEach(() => rmSync(dataDir, { recursive: true }))

function task(change: Partial<BackupTask> = {}): BackupTask {
  return { dataDir, keys: [key], file, passphrase: null, now: START, progress: () => undefined, ...change }
}
/** What a person is told about a file with these bytes; null when it was taken. */
function refusal(bytes: Uint8Array): CopilotError | null {
  writeFileSync(file, bytes)
  try {
    prepareRestore(task())
    return null
  } catch (error) {
    if (error instanceof CopilotError) return error
    throw error
  }
}

describe('a backup', () => {
  it('gives back the whole database, which the present key opens', () => {
    const { copy, counts } = prepareRestore(task())
    expect(counts).toEqual({ sessions: 1, messages: 40 })
    const db = openConnection(copy, key, { readonly: true, fileMustExist: true })
    expect(db.prepare('SELECT count(*) FROM messages').pluck().get()).toBe(40)
    db.close()
  })

  it.each([
    ['foreign', () => Buffer.from('%PDF-1.7 something else'), 'not a backup made by Aside'],
    ['empty', () => Buffer.alloc(0), 'not a backup made by Aside'],
    ['cut in its name', () => whole.subarray(0, 5), 'cut short'],
    ['cut in its head', () => whole.subarray(0, 200), 'cut short'],
    ['cut in its last page', () => whole.subarray(0, whole.length - 1), 'cut short'],
    ['longer than it should be', () => Buffer.concat([whole, Buffer.of(1)]), 'damaged'],
    ['newer', () => Buffer.from(whole.toString('latin1').replace('{"version":1', '{"version":2'), 'latin1'), 'newer version']
  ])('that is %s is refused in plain words, and leaves nothing behind', (_, bytes, words) => {
    expect(refusal(bytes())?.message).toContain(words)
    expect(refusal(bytes())?.message).toContain('Nothing was changed')
    expect(readdirSync(dataDir).filter((name) => name.includes('restoring'))).toEqual([])
  })

  it('is refused when any bit of it has flipped', () => {
    for (let n = 0; n < 120; n++) {
      const flipped = Buffer.from(whole)
      const place = n < 60 ? n * 11 : Math.floor((n / 120) * whole.length)
      flipped[place] = flipped[place]! ^ (1 << (n % 8))
      expect(refusal(flipped)?.message, `bit ${n % 8} of byte ${place}`).toContain('Nothing was changed')
    }
    expect(refusal(whole)).toBeNull()
  })
})
