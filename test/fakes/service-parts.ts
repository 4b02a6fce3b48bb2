// Parts of the service for tests: a clock that is set, ids that count, folders that go away, a log that is kept.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import type { Logger } from '../../src/service/logging.ts'
import type { Question } from '../../src/shared/turn.ts'
import { openStore, type Store } from '../../src/service/store/store.ts'

export interface FakeClock {
  now(): number
  set(at: number): void
}

export function fakeClock(at = 1_790_000_000_000): FakeClock {
  let now = at
  return {
    now: () => now,
    set(next) {
      now = next
    }
  }
}

export interface KeptLog extends Logger {
  readonly lines: readonly { readonly level: string; readonly event: string; readonly fields: object }[]
}

export function keptLog(): KeptLog {
  const lines: { level: string; event: string; fields: object }[] = []
  const at =
    (level: string) =>
    (fields: object, event: string): void =>
      void lines.push({ level, event, fields })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface TempFolder extends AsyncDisposable {
  readonly path: string
}

export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'aside-service-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export interface TempStore extends AsyncDisposable {
  readonly store: Store
  readonly path: string
  /** Closes the store and opens the same folder again. */
  reopen(): Promise<Store>
}

export async function tempStore(): Promise<TempStore> {
  const folder = await tempFolder()
  const options = { dataDir: folder.path, clock: fakeClock() }
  let store = await openStore(options)
  return {
    get store() {
      return store
    },
    path: folder.path,
    async reopen() {
      store.stop()
      store = await openStore(options)
      return store
    },
    async [Symbol.asyncDispose]() {
      store.stop()
      await folder[Symbol.asyncDispose]()
    }
  }
}

export function aQuestion(part: Partial<Question> = {}): Question {
  return { turnId: uuidv7(), sessionId: 's1', text: 'What is Harbor?', context: {}, ...part }
}

export const never = new AbortController().signal

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
