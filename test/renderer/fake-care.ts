// The fake bridge's care of the history: passphrase, backup, retention, purge, export and import, over the data in memory.
import type { BridgeMethod, BridgeOutput, BridgeParsed, Delta } from '../../src/shared/bridge.ts'
import type { Counts, DesktopStatus, HistoryStatus, ImportPreview, Message, PurgeScope, Session } from '../../src/shared/domain.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import type { FakeJobs } from './fake-jobs.ts'

type CareMethod = Extract<BridgeMethod, `history.${string}` | `export.${string}` | `import.${string}`>
export type FakeCare = { [M in CareMethod]: (input: BridgeParsed<M>) => BridgeOutput<M> | Promise<BridgeOutput<M>> }

export interface CareContext {
  readonly now: number
  readonly sessions: Map<string, Session>
  readonly messages: Map<string, Message>
  readonly jobs: FakeJobs
  readonly push: (...deltas: Delta[]) => void
  readonly desktop: () => DesktopStatus
  readonly setDesktop: (change: Partial<DesktopStatus>) => void
  readonly passphrase: string | null
  readonly lastBackupAt: number | null
  /** What the person answers to the file dialogs, oldest first; `null`: cancelled. Empty: a file is chosen. */
  readonly fileAnswers: (string | null)[]
}

const DAY_MS = 86_400_000

export function createFakeCare(context: CareContext): FakeCare {
  const { now, sessions, messages, jobs, push } = context
  let passphrase = context.passphrase
  let lastBackupAt = context.lastBackupAt
  let backup: { readonly sessions: Map<string, Session>; readonly messages: Map<string, Message>; readonly passphrase: string | null } | null = null
  const retention = new Map<string, number>([['Nordhavn Insurance', 365]])
  const imports = new Map<string, ImportPreview>()

  const status = (): HistoryStatus => ({
    sizeBytes: 1_150_976 + messages.size * 1_180,
    sessions: sessions.size,
    messages: messages.size,
    keyStorage: context.desktop().keyStorage,
    lastBackupAt,
    lastCheckAt: now - 7 * 3_600_000,
    retention: [...retention].map(([clientName, days]) => ({ clientName, days }))
  })
  const checkPassphrase = (given: string | null): void => {
    if (passphrase !== null && given !== passphrase) {
      throw new CopilotError('unauthenticated', 'This is not the passphrase of this history. Nothing was changed; try again.')
    }
  }
  const inScope = ({ sessionId, clientName, before }: PurgeScope): Message[] =>
    [...messages.values()].filter(
      (message) =>
        (sessionId === undefined || message.sessionId === sessionId) &&
        (clientName === undefined || sessions.get(message.sessionId)?.clientName === clientName) &&
        (before === undefined || message.createdAt < before)
    )
  const countsOf = (found: readonly Message[]): Counts => ({
    sessions: new Set(found.map((message) => message.sessionId)).size,
    messages: found.length
  })
  const chooseFile = (name: string): string | null => (context.fileAnswers.length === 0 ? name : (context.fileAnswers.shift() ?? null))

  return {
    'history.status': status,
    'history.unlock': ({ passphrase: given }) => {
      checkPassphrase(given)
      context.setDesktop({ locked: false })
      push({ slice: 'history-replaced' })
      return null
    },
    'history.setPassphrase': ({ current, next }) => {
      checkPassphrase(current)
      passphrase = next
      context.setDesktop({ keyStorage: next === null ? 'vault' : 'passphrase' })
      return status()
    },
    'history.rekey': () => jobs.run('rekey', 'Encrypting the history with a new key', messages.size, () => null),
    'history.backup': async ({ passphrase: sealed }) => {
      const fileName = chooseFile('aside-2026-11-21.backup')
      if (fileName === null) return null
      return jobs.run('backup', 'Backing up the history', messages.size, () => {
        backup = { sessions: new Map(sessions), messages: new Map(messages), passphrase: sealed }
        lastBackupAt = now
        return { fileName, sizeBytes: status().sizeBytes }
      })
    },
    'history.restore': async ({ passphrase: given }) => {
      if (chooseFile('aside.backup') === null) return null
      const from = backup
      if (from === null) throw new CopilotError('invalid_request', 'This file is no backup of Aside. Nothing was changed; choose another file.')
      if (from.passphrase !== given) {
        throw new CopilotError('unauthenticated', 'This passphrase does not open the backup. Nothing was changed; try again.')
      }
      return jobs.run('restore', 'Restoring the history', from.messages.size, () => {
        sessions.clear()
        messages.clear()
        for (const [id, session] of from.sessions) sessions.set(id, session)
        for (const [id, message] of from.messages) messages.set(id, message)
        push({ slice: 'history-replaced' })
        return { sessions: sessions.size, messages: messages.size }
      })
    },
    'history.setRetention': ({ clientName, days }) => {
      if (days === null) retention.delete(clientName)
      else retention.set(clientName, days)
      return status()
    },
    'history.purgePreview': (scope) => countsOf(inScope(scope)),
    'history.purge': (scope) => {
      const found = inScope(scope)
      return jobs.run('purge', 'Removing messages for good', found.length, () => {
        for (const message of found) messages.delete(message.id)
        for (const session of sessions.values()) {
          const isEmpty =
            found.some((message) => message.sessionId === session.id) && ![...messages.values()].some((one) => one.sessionId === session.id)
          if (isEmpty) sessions.delete(session.id)
        }
        push({ slice: 'history-replaced' })
        return countsOf(found)
      })
    },

    'export.write': async (request) => {
      const fileName = chooseFile(`aside.${request.format === 'markdown' ? 'md' : request.format}`)
      if (fileName === null) return null
      const found = inScope({
        ...(request.sessionId === undefined ? {} : { sessionId: request.sessionId }),
        ...(request.clientName === undefined ? {} : { clientName: request.clientName })
      }).filter((message) => message.createdAt >= (request.from ?? 0) && message.createdAt <= (request.to ?? Number.MAX_SAFE_INTEGER))
      return jobs.run('export', `Writing ${fileName}`, found.length, () => ({ ...countsOf(found), fileName }))
    },
    'import.read': async () => {
      const fileName = chooseFile('chatgpt-export.zip')
      if (fileName === null) return null
      return jobs.run('import', `Reading ${fileName}`, 48_211_903, () => {
        const preview: ImportPreview = {
          id: `import-${imports.size + 1}`, fileName, source: fileName.endsWith('.zip') ? 'chatgpt' : 'aside', sessions: 214, messages: 6_318, known: 3,
          from: now - 700 * DAY_MS, to: now - 2 * DAY_MS,
          remarks: ['41 pictures are left out; a note stands in their place.', '12 conversations have other branches: the one that was last read is taken.']
        } // prettier-ignore
        imports.set(preview.id, preview)
        return preview
      })
    },
    'import.confirm': ({ id, clientName }) => {
      const preview = imports.get(id)
      if (preview === undefined) throw new CopilotError('not_found', 'This import is no longer there. Choose the file again.')
      imports.delete(id)
      return jobs.run('import', `Importing ${preview.fileName}`, preview.messages, () => {
        const session: Session = {
          id: `imported-${id}`, title: 'Imported conversation', clientName: clientName ?? '', meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [],
          customFields: { 'Imported from': preview.fileName }, notes: '', status: 'active', pinned: false, createdAt: now - 2 * DAY_MS, updatedAt: now, lastActivityAt: now - 2 * DAY_MS, expiresAt: null, messageCount: 0
        } // prettier-ignore
        sessions.set(session.id, session)
        push({ slice: 'history-replaced' })
        return { sessions: preview.sessions - preview.known, messages: preview.messages }
      })
    },
    'import.discard': ({ id }) => {
      imports.delete(id)
      return null
    }
  }
}
