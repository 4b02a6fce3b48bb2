// Keeps the history's key and looks after the history as a whole: unlocking, another passphrase or key, copies and their
// return, and what is due once a day.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Counts } from '../../shared/domain.ts'
import { CopilotError, isAbort } from '../../shared/errors.ts'
import type { CareRun, HistoryCare, Replaced } from './care.ts'
import { upkeepDue, SNAPSHOTS_KEPT } from './carePolicy.ts'
import { loadOrCreateKey, storeKeys, type KeyOptions, type KeysLocked, type KeysOpen, type KeyStorage } from './key.ts'
import type { HistoryRuntime } from './runtime.ts'
import { hasRoomForCopy } from './sqlite/backups.ts'
import { SNAPSHOT_FOLDER } from './sqlite/salvage.ts'
import { asStorageError } from './sqlite/failures.ts'
import { stampOf } from './sqlite/files.ts'

const BACKUP_EXTENSION = 'aside-backup'
const SNAPSHOT = new RegExp(`^snapshot-[0-9TZ-]+\\.${BACKUP_EXTENSION}$`)
/** What a crash may leave of a key file that was being written. */
const KEY_DRAFT = /^history\.key(?:\.copy)?\.[0-9a-f]{12}$/

export interface CustodyOptions extends KeyOptions {
  readonly runtime: HistoryRuntime
  readonly random: (length: number) => Uint8Array
  /** Resolves after so many ms, or rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface Custody extends HistoryCare {
  /** Once, before all else: opens the history, unless it waits for its passphrase. The answer is what a person should know. */
  open(): Promise<string | null>
}

/** Former keys that are kept, for backups that were made with them. */
const FORMER_KEPT = 12
const LOCKED = 'Unlock the history first.'
const SET_NOW = 'The history is protected by a passphrase. Enter the present one to change or remove it.'
const WRONG = 'This is not the present passphrase of the history. Nothing was changed; try again.'

export function createCustody(options: CustodyOptions): Custody {
  const { dataDir, clock, runtime, random } = options
  const { history } = runtime
  const listeners = new Set<(replaced: Replaced) => void>()
  let open: KeysOpen | null = null
  let lock: KeysLocked | null = null
  let wrongGuesses = 0
  /** One guess after the other, so that many at once are not quicker than one. */
  let guessing: Promise<unknown> = Promise.resolve()

  function opened(): KeysOpen {
    if (open === null) throw new CopilotError('unavailable', LOCKED)
    return open
  }

  async function openWith(keys: KeysOpen): Promise<string | null> {
    const { incident, key } = await runtime.open(keys.keys)
    open = await settled(keys, key)
    lock = null
    await removeKeyDrafts()
    return [keys.incident, incident].filter((text) => text !== null).join(' ') || null
  }

  /** A change of keys that was cut short: the key that opens the database comes first, in the file as well. */
  async function settled(keys: KeysOpen, key: Uint8Array): Promise<KeysOpen> {
    const isFirst = Buffer.from(keys.keys[0] ?? []).equals(key)
    if (isFirst) return keys
    const ordered = [key, ...keys.keys.filter((other) => !Buffer.from(other).equals(key))]
    // A passphrase is not kept; the file, which holds both, is put in order with the next change.
    if (keys.kind !== 'passphrase') await storeKeys(options, ordered, null)
    return { ...keys, keys: ordered }
  }

  async function removeKeyDrafts(): Promise<void> {
    for (const name of await readdir(dataDir)) if (KEY_DRAFT.test(name)) await rm(join(dataDir, name), { force: true })
  }

  function guess<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = guessing.then(async () => {
      if (wrongGuesses > 0) await options.wait(Math.min(30_000, 250 * 2 ** (wrongGuesses - 1)), signal)
      try {
        const result = await attempt()
        wrongGuesses = 0
        return result
      } catch (error) {
        if (error instanceof CopilotError && error.code === 'unauthenticated') wrongGuesses += 1
        throw error
      }
    })
    guessing = turn.catch(() => undefined)
    return turn
  }

  /** @throws CopilotError `unauthenticated` unless it is the one that is set. */
  async function checkPassphrase(current: string | null, signal: AbortSignal): Promise<void> {
    if (opened().kind !== 'passphrase') return
    if (current === null) throw new CopilotError('unauthenticated', SET_NOW)
    await guess(async () => {
      const loaded = await loadOrCreateKey(options)
      if (loaded.state !== 'locked') return
      try {
        await loaded.unlock(current)
      } catch (error) {
        throw error instanceof CopilotError && error.code === 'unauthenticated' ? new CopilotError('unauthenticated', WRONG, { cause: error }) : error
      }
    }, signal)
  }

  function tell(incident: string | null): void {
    for (const listener of listeners) listener({ incident })
  }

  async function backupTo(file: string, passphrase: string | null, { signal, progress }: CareRun): Promise<number> {
    const { keys } = opened()
    try {
      const { bytes } = await runtime.runTask({ kind: 'backup', file, passphrase, keys }, signal, progress)
      return bytes
    } catch (error) {
      // Its thread was ended in the middle of it.
      if (isAbort(error)) for (const left of [`${file}.partial`, join(dataDir, 'history.db.copying')]) await rm(left, { force: true })
      throw error
    }
  }

  async function snapshots(): Promise<string[]> {
    const folder = join(dataDir, SNAPSHOT_FOLDER)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return (await readdir(folder))
      .filter((name) => SNAPSHOT.test(name))
      .sort()
      .map((name) => join(folder, name))
  }

  /** A copy in the data folder; the oldest ones make way, all of them when they hold what shall be gone. */
  async function takeSnapshot(keep: number, signal: AbortSignal): Promise<void> {
    const old = await snapshots()
    const stamp = stampOf(clock.now())
    const file = join(dataDir, SNAPSHOT_FOLDER, `snapshot-${stamp}.${BACKUP_EXTENSION}`)
    await history.copyBegins()
    await backupTo(file, null, { signal, progress: () => undefined })
    await history.copyMade()
    const others = old.filter((name) => name !== file)
    for (const name of others.slice(0, Math.max(0, others.length - keep + 1))) await rm(name, { force: true })
    await history.noteEvent('snapshot', clock.now())
  }

  async function removeSnapshots(): Promise<void> {
    for (const name of await snapshots()) await rm(name, { force: true })
  }

  return {
    async open() {
      const loaded = await loadOrCreateKey(options)
      if (loaded.state === 'open') return openWith(loaded)
      lock = loaded
      return null
    },
    keyStorage: (): KeyStorage => open?.kind ?? 'passphrase',
    locked: () => open === null,
    async unlock(passphrase, signal) {
      await guess(async () => {
        if (lock === null) return
        const keys = await lock.unlock(passphrase)
        tell(await openWith(keys))
      }, signal)
    },
    async setPassphrase({ current, next }, signal) {
      await checkPassphrase(current, signal)
      const { keys } = opened()
      const kind = await storeKeys(options, keys, next)
      open = { ...opened(), kind }
    },
    async rekey({ signal, progress }) {
      const before = opened()
      if (before.kind === 'passphrase') {
        throw new CopilotError(
          'refused',
          'Remove the passphrase first: the new key must be sealed, and the passphrase is not kept. Set it again afterwards.'
        )
      }
      const [key] = before.keys
      if (key === undefined) throw new Error('A history without a key')
      const next = Uint8Array.from(random(key.byteLength))
      await runtime.exclusively(async () => {
        // Both keys are in the file before there is anything that only the new one opens.
        const both = [key, next, ...before.keys.slice(1, FORMER_KEPT)]
        await storeKeys(options, both, null)
        open = { ...before, keys: both }
        const { copy } = await runtime.runTask({ kind: 'rekey', key, next }, signal, (done, total) => progress(done, total))
        return { value: null, replacement: { copy, keep: false }, keys: [next, ...before.keys] }
      })
      open = { ...before, keys: [next, ...before.keys].slice(0, FORMER_KEPT + 1) }
      await storeKeys(options, open.keys, null)
      // Copies under the old key make way for one under the new.
      if (await hasRoom()) await takeSnapshot(1, signal)
    },
    async backup(file, passphrase, run) {
      const bytes = await backupTo(file, passphrase, run)
      await history.noteEvent('backup', clock.now())
      return bytes
    },
    async restore(file, passphrase, { signal, progress }) {
      const { keys } = opened()
      const { copy, counts } = await runtime.runTask({ kind: 'restore', file, passphrase, keys }, signal, progress)
      await runtime.exclusively(() => Promise.resolve({ value: null, replacement: { copy, keep: true } }))
      tell(null)
      return counts satisfies Counts
    },
    async renewCopies(signal) {
      if (await hasRoom()) await takeSnapshot(1, signal)
      else await removeSnapshots()
    },
    async tend(signal) {
      if (open === null) return []
      const said: string[] = []
      const now = clock.now()
      const due = upkeepDue({ now, snapshotAt: await history.eventAt('snapshot'), checkAt: await history.eventAt('check') })
      const { sessions, messages } = await history.applyRetention()
      if (sessions + messages > 0) {
        said.push(`${count(messages, 'message')} and ${count(sessions, 'session')} were removed: they were older than their client’s rule says.`)
        await this.renewCopies(signal)
      }
      if (due.check) {
        await history.checkPages(signal)
        await history.noteEvent('check', now)
      }
      const holds = (await history.status()).messages > 0
      if (due.snapshot && holds && (await hasRoom())) await takeSnapshot(SNAPSHOTS_KEPT, signal)
      return said
    },
    onReplaced(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }

  async function hasRoom(): Promise<boolean> {
    try {
      await mkdir(dataDir, { recursive: true })
      return hasRoomForCopy(dataDir)
    } catch (error) {
      throw asStorageError(error, dataDir)
    }
  }
}

function count(n: number, thing: string): string {
  return `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`
}
