// The desktop core on fakes: history in memory, a scripted link, a shell that keeps quiet.
import { createDesktop, type Desktop } from '../../src/main/desktop.ts'
import type { HistoryCare } from '../../src/main/history/care.ts'
import { createPageRenderer } from '../../src/main/export/renderer.thread.ts'
import { createImportReader } from '../../src/main/import/reader.thread.ts'
import type { History } from '../../src/main/history/history.ts'
import { silentLog } from '../../src/main/log.ts'
import type { Shell } from '../../src/main/shell.ts'
import type { Push } from '../../src/shared/bridge.ts'
import { defaultSettings, type Session, type Settings } from '../../src/shared/domain.ts'
import { createFakeCare } from './historyCare.ts'
import { createMemoryHistory } from './history.memory.ts'
import { createFakeLink, type FakeLink } from './link.ts'

export interface FakeCore {
  readonly desktop: Desktop
  readonly history: History
  readonly link: FakeLink
  readonly session: Session
  readonly pushes: Push[]
  readonly opened: string[]
  readonly clock: { at: number; now(): number }
  /** The next id, as the person's window would make it. */
  turnId(): string
  /** Resolves when the condition holds; looked at after every push. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>
}

export async function createFakeCore(
  options: {
    readonly history?: (clock: { now(): number }) => History
    readonly settings?: Settings
    readonly care?: HistoryCare
    /** What the person chooses when main asks for a file. */
    readonly file?: (to: 'open' | 'save') => string | null
  } = {}
): Promise<FakeCore> {
  const clock = { at: 1_800_000_000_000, now: () => clock.at }
  const history = options.history?.(clock) ?? createMemoryHistory({ clock })
  const link = createFakeLink()
  const opened: string[] = []
  let settings = options.settings ?? defaultSettings
  let ids = 0
  const nothing = async (): Promise<void> => undefined
  const shell: Shell = {
    showOverlay: nothing,
    hideOverlay: nothing,
    showMain: nothing,
    openExternal: async (url) => void opened.push(url),
    writeClipboard: nothing,
    chooseSaveFile: async () => options.file?.('save') ?? null,
    chooseOpenFile: async () => options.file?.('open') ?? null,
    apply: nothing,
    status: () => ({ platform: 'linux', captureProtection: 'not-guaranteed', shortcuts: {}, overlayVisible: false }),
    onStatus: () => () => undefined
  }
  const id = (): string => `0198c5f0-0000-7000-8000-${String(++ids).padStart(12, '0')}`
  const desktop = createDesktop({
    history,
    historyIncident: null,
    care: options.care ?? createFakeCare(),
    importReader: createImportReader(),
    renderPages: createPageRenderer(),
    link,
    settings: { get: () => settings, set: (next) => void (settings = next) },
    secrets: { get: async () => null, set: async () => undefined },
    shell,
    version: '0.0.0',
    clock,
    newId: id,
    random: () => 0,
    log: silentLog,
    announcements: []
  })
  const pushes: Push[] = []
  const waiters = new Set<() => void>()
  desktop.mirror.subscribe('main', (push) => {
    pushes.push(push)
    for (const look of waiters) look()
  })
  const session = await desktop.sessionNamed('Northwind review')
  return {
    desktop,
    history,
    link,
    session,
    pushes,
    opened,
    clock,
    turnId: id,
    until: (condition) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          Promise.resolve(condition()).then((holds) => {
            if (!holds) return
            waiters.delete(look)
            resolve()
          }, reject)
        }
        waiters.add(look)
        look()
      })
  }
}
