// What is done to a history while it is killed, and the history it is done to. All at once and in one thread, so that every
// step on the disk can be counted.
import { join } from 'node:path'
import { openStore } from '../../src/main/history/history.sqlite.ts'
import { makeBackup, prepareRestore } from '../../src/main/history/sqlite/backups.ts'
import { migrations } from '../../src/main/history/sqlite/migrations/index.ts'
import { openDatabase } from '../../src/main/history/sqlite/opening.ts'
import { prepareRekey } from '../../src/main/history/sqlite/rekey.ts'
import type { StoreOpened } from '../../src/main/history/store.ts'
import { answered, newQuestion, newSession, START, turnIdOf } from '../fakes/historySamples.ts'

export const KEY: Uint8Array = new Uint8Array(32).fill(7)
export const NEXT_KEY: Uint8Array = new Uint8Array(32).fill(9)
const clock = { now: () => START }
const newest = migrations.at(-1)?.version ?? 0

export function open(dataDir: string, key: Uint8Array = KEY, otherKeys: readonly Uint8Array[] = []): StoreOpened {
  return openStore({ dataDir, key, otherKeys, clock })
}

export const textOf = (n: number): string => `question ${n} ${'about many things '.repeat(n % 20 === 0 ? 600 : 12)}`

/** Accepts questions; every fourth stays unanswered. The ids of all messages that were acknowledged. */
export function fill({ store }: StoreOpened, from: number, to: number): string[] {
  if (store.session('s1') === null) store.createSession(newSession('s1'))
  const ids: string[] = []
  for (let n = from; n <= to; n++) {
    store.accept({ question: newQuestion(n, textOf(n)), messageId: `q${n}`, at: START })
    ids.push(`q${n}`)
    if (n % 4 === 0) continue
    store.saveEvents(turnIdOf(n), answered(n, `answer ${n} ${'with figures '.repeat(30)}`))
    ids.push(`a${n}`)
  }
  return ids
}

export const backupFile = (dataDir: string): string => join(dataDir, 'mine.aside-backup')

function backup(dataDir: string): void {
  makeBackup({ dataDir, keys: [KEY], file: backupFile(dataDir), passphrase: null, now: START, progress: () => undefined })
}

export const acts: Readonly<Record<string, (dataDir: string) => void>> = {
  migrate(dataDir) {
    const steps = [
      ...migrations,
      {
        version: newest + 1,
        name: 'next',
        up: (db: { exec(sql: string): unknown }) => void db.exec("ALTER TABLE messages ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")
      }
    ]
    openDatabase({ dataDir, key: KEY, clock, migrations: steps }).close()
  },
  backup,
  restore(dataDir) {
    const { copy } = prepareRestore({
      dataDir,
      keys: [KEY],
      file: backupFile(dataDir),
      passphrase: null,
      now: START,
      progress: () => undefined
    })
    openStore({ dataDir, key: KEY, clock, replacement: { copy, keep: true } }).store.close()
  },
  rekey(dataDir) {
    const copy = prepareRekey({ dataDir, key: KEY, next: NEXT_KEY, progress: () => undefined })
    openStore({ dataDir, key: NEXT_KEY, otherKeys: [KEY], clock, replacement: { copy, keep: false } }).store.close()
  },
  /** The history is damaged: it is set aside, and a new one made of what can be read. */
  recover: (dataDir) => open(dataDir).store.close()
}
