// The desktop core as it ships, under plain Node, with a window's part played by the run that started it: a process to be
// killed. Talks over Node's own IPC; see `ToCore` and `FromCore`.
import { v7 as newId } from 'uuid'
import { composeDesktop } from '../../../src/main/compose.ts'
import { readConfig } from '../../../src/main/config.ts'
import type { Desktop } from '../../../src/main/desktop.ts'
import { silentLog } from '../../../src/main/log.ts'
import { createStderrLog } from '../../../src/main/log.stderr.ts'
import { toCopilotError, type WireError } from '../../../src/shared/errors.ts'
import { defaultSettings } from '../../../src/shared/domain.ts'
import { testVault } from '../../fakes/host.ts'

export type ToCore =
  | { readonly kind: 'ask'; readonly turnId: string; readonly sessionId: string; readonly text: string }
  | { readonly kind: 'session'; readonly title: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'recheck' }
  | { readonly kind: 'stop' }

export type FromCore =
  | { readonly kind: 'ready'; readonly incident: string | null }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'accepted'; readonly turnId: string }
  | { readonly kind: 'refused'; readonly turnId: string; readonly error: WireError }
  | { readonly kind: 'session'; readonly title: string; readonly id: string }
  /** How many questions are still on their way, and how many wait for a person. */
  | { readonly kind: 'open'; readonly open: number; readonly failed: number; readonly link: string }
  | { readonly kind: 'stopped' }

/** Mistakes that the run must notice; see outbox.ts. */
export type Sabotage = 'none' | 'early-accept' | 'twice'

const say = (message: FromCore): void => void process.send?.(message)
const sabotage = (process.env['CHAOS_SABOTAGE'] ?? 'none') as Sabotage
const quiet = (): Promise<void> => Promise.resolve()

async function start(): Promise<Desktop> {
  const config = readConfig({ defaultDataDir: '' })
  let settings = defaultSettings
  return composeDesktop({
    config,
    log: config.logLevel === 'silent' ? silentLog : createStderrLog(config.logLevel),
    vault: testVault,
    settings: { get: () => settings, set: (next) => void (settings = next) },
    shell: {
      showOverlay: quiet,
      hideOverlay: quiet,
      showMain: quiet,
      openExternal: quiet,
      writeClipboard: quiet,
      apply: quiet,
      status: () => ({ platform: 'linux', captureProtection: 'not-guaranteed', shortcuts: {}, overlayVisible: false }),
      onStatus: () => () => undefined
    },
    host: {
      start: () => {
        throw new Error('the service of this run is not embedded')
      }
    },
    historyWorker: null,
    version: '0.0.0',
    endpoint: { show: null, stop: null }
  })
}

async function ask(desktop: Desktop, message: Extract<ToCore, { kind: 'ask' }>): Promise<void> {
  const { turnId } = message
  if (sabotage === 'early-accept') {
    // Says yes before it is true.
    say({ kind: 'accepted', turnId })
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  try {
    const { sessionId, text } = message
    await desktop.desk.ask({ turnId, sessionId, text })
    if (sabotage === 'twice') await desktop.desk.ask({ turnId: newId(), sessionId, text })
    if (sabotage !== 'early-accept') say({ kind: 'accepted', turnId })
  } catch (error) {
    say({ kind: 'refused', turnId, error: toCopilotError(error).toWire() })
  }
}

async function handle(desktop: Desktop, message: ToCore): Promise<void> {
  switch (message.kind) {
    case 'ask':
      return ask(desktop, message)
    case 'session':
      return say({ kind: 'session', title: message.title, id: (await desktop.sessionNamed(message.title)).id })
    case 'open': {
      const waiting = await desktop.desk.waiting()
      const failed = waiting.filter(({ delivery }) => delivery?.state === 'failed').length
      return say({ kind: 'open', open: waiting.length - failed, failed, link: (await desktop.snapshot()).link.state })
    }
    case 'recheck':
      return desktop.recheck()
    case 'stop':
      await desktop.stop()
      say({ kind: 'stopped' })
      process.exit(0)
  }
}

try {
  const desktop = await start()
  process.on('message', (message: ToCore) => {
    handle(desktop, message).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      process.exit(1)
    })
  })
  process.on('disconnect', () => process.exit(0))
  say({ kind: 'ready', incident: (await desktop.snapshot()).desktop.historyIncident })
} catch (error) {
  say({ kind: 'failed', message: toCopilotError(error).message })
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}
