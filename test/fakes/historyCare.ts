// Care of a history that needs none: never locked, nothing to copy. Says what it was asked for.
import type { HistoryCare, Replaced } from '../../src/main/history/care.ts'
import { CopilotError } from '../../src/shared/errors.ts'

export interface FakeCare extends HistoryCare {
  readonly asked: string[]
  /** Locks it, with this passphrase. */
  lock(passphrase: string): void
}

export function createFakeCare(): FakeCare {
  const asked: string[] = []
  const listeners = new Set<(replaced: Replaced) => void>()
  let secret: string | null = null
  let isLocked = false
  const note = <T>(what: string, value: T): Promise<T> => {
    asked.push(what)
    return Promise.resolve(value)
  }
  return {
    asked,
    lock(passphrase) {
      secret = passphrase
      isLocked = true
    },
    keyStorage: () => (secret === null ? 'vault' : 'passphrase'),
    locked: () => isLocked,
    unlock(passphrase) {
      if (passphrase !== secret) return Promise.reject(new CopilotError('unauthenticated', 'Wrong.'))
      isLocked = false
      for (const listener of listeners) listener({ incident: null })
      return note('unlock', undefined)
    },
    setPassphrase({ next }) {
      secret = next
      return note('setPassphrase', undefined)
    },
    rekey: () => note('rekey', undefined),
    backup: (file) => note(`backup ${file}`, 12),
    restore: (file) => note(`restore ${file}`, { sessions: 1, messages: 2 }),
    renewCopies: () => note('renewCopies', undefined),
    tend: () => note('tend', []),
    onReplaced(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}
