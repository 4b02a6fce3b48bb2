// The bridge's calls that take care of the history: status, passphrase, backup, retention, purge, drafts.
import { basename } from 'node:path'
import type { Announcement } from '../../shared/bridge.ts'
import type { HistoryStatus } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { HistoryCare } from '../history/care.ts'
import type { DraftKeeper } from '../history/draftKeeper.ts'
import type { History } from '../history/history.ts'
import type { Jobs } from '../jobs.ts'
import type { FileKind, Shell } from '../shell.ts'
import type { BridgeHandlers } from './router.ts'

export type CareHandlers = Pick<BridgeHandlers, Extract<keyof BridgeHandlers, `history.${string}` | 'drafts.keep'>>

export interface CareHandlerOptions {
  readonly history: History
  readonly care: HistoryCare
  readonly drafts: DraftKeeper
  readonly jobs: Jobs
  readonly shell: Pick<Shell, 'chooseOpenFile' | 'chooseSaveFile'>
  readonly stopTurn: (turnId: string) => Promise<void>
  /** Lets go of the answers on their way while the history is exchanged. */
  readonly pause: () => Promise<() => void>
  readonly announce: (level: Announcement['level'], text: string, sticky: boolean) => void
  /** Windows forget what they have loaded. */
  readonly onReplaced: () => void
  readonly onStatus: () => void
  readonly clock: Clock
  /** Aborted when the desktop stops. */
  readonly signal: AbortSignal
}

const BACKUPS: readonly FileKind[] = [{ name: 'Aside backup', extensions: ['aside-backup'] }]

export function createCareHandlers(options: CareHandlerOptions): CareHandlers {
  const { history, care, drafts, jobs, shell, clock, signal } = options

  async function status(): Promise<HistoryStatus> {
    return { ...(await history.status()), keyStorage: care.keyStorage() }
  }
  function unlocked(): void {
    if (care.locked()) throw new CopilotError('unavailable', 'Unlock the history first.')
  }

  return {
    'drafts.keep': async ({ key, text, turnId }) => done(await drafts.keep(key, { text, turnId })),
    'history.status': () => status(),
    'history.unlock': async ({ passphrase }) => done(await care.unlock(passphrase, signal)),
    'history.setPassphrase': async (change) => {
      unlocked()
      await care.setPassphrase(change, signal)
      options.onStatus()
      return status()
    },
    'history.rekey': async () => {
      unlocked()
      await jobs.run('rekey', 'Encrypting the history with a new key', (run) => care.rekey(run), { cancellable: false })
      return null
    },
    'history.backup': async ({ passphrase }) => {
      unlocked()
      const day = new Date(clock.now()).toISOString().slice(0, 10)
      const file = await shell.chooseSaveFile({ title: 'Back up the history', defaultName: `Aside ${day}.aside-backup`, kinds: BACKUPS })
      if (file === null) return null
      const sizeBytes = await jobs.run('backup', 'Backing up the history', (run) => care.backup(file, passphrase, run))
      return { fileName: basename(file), sizeBytes }
    },
    'history.restore': async ({ passphrase }) => {
      unlocked()
      const file = await shell.chooseOpenFile({ title: 'Restore the history from a backup', kinds: BACKUPS })
      if (file === null) return null
      const counts = await jobs.run('restore', 'Restoring the history', async (run) => {
        const resume = await options.pause()
        try {
          return await care.restore(file, passphrase, run)
        } finally {
          resume()
        }
      })
      options.announce(
        'info',
        'The history was restored. The one you had before is kept in the data folder; its name begins with history-set-aside.',
        true
      )
      return counts
    },
    'history.setRetention': async ({ clientName, days }) => {
      await history.setRetention(clientName, days)
      return status()
    },
    'history.purgePreview': (scope) => history.purgePreview(scope),
    'history.purge': (scope) =>
      jobs.run(
        'purge',
        'Removing messages for good',
        async (run) => {
          const { messages } = await history.purgePreview(scope)
          run.progress(0, messages)
          for (const turnId of await history.unendedTurns(scope)) await options.stopTurn(turnId)
          const counts = await history.purge(scope)
          await care.renewCopies(run.signal)
          run.progress(counts.messages, counts.messages)
          options.onReplaced()
          return counts
        },
        { cancellable: false }
      )
  }
}

const done = (_nothing: void): null => null
