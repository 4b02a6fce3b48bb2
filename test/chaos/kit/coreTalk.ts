// What a core to be killed and the run that kills it say to each other, over Node's own IPC.
import { v7 as newId } from 'uuid'
import type { Desktop } from '../../../src/main/desktop.ts'
import type { Shell } from '../../../src/main/shell.ts'
import { toCopilotError, type WireError } from '../../../src/shared/errors.ts'

export type ToCore =
  | { readonly kind: 'ask'; readonly turnId: string; readonly sessionId: string; readonly text: string }
  | { readonly kind: 'session'; readonly title: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'recheck' }
  /** From now on the service refuses the token that the core has. */
  | { readonly kind: 'expire' }
  | { readonly kind: 'stop' }

export type FromCore =
  | { readonly kind: 'ready'; readonly incident: string | null }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'accepted'; readonly turnId: string }
  | { readonly kind: 'refused'; readonly turnId: string; readonly error: WireError }
  | { readonly kind: 'session'; readonly title: string; readonly id: string }
  /** How many questions are still on their way, and how many wait for a person. */
  | { readonly kind: 'open'; readonly open: number; readonly failed: number; readonly link: string }
  /** What a window was given of a turn: the numbers of the first and the last event of one push. */
  | { readonly kind: 'shown'; readonly turnId: string; readonly from: number; readonly to: number }
  | { readonly kind: 'transport'; readonly name: string | null }
  | { readonly kind: 'refreshed' }
  | { readonly kind: 'stopped' }

/** Mistakes that a run must notice. */
export type Sabotage = 'none' | 'early-accept' | 'twice'

export const say = (message: FromCore): void => void process.send?.(message)

const quiet = (): Promise<void> => Promise.resolve()
/** No windows. */
export const quietShell: Shell = {
  showOverlay: quiet,
  hideOverlay: quiet,
  showMain: quiet,
  openExternal: quiet,
  writeClipboard: quiet,
  chooseSaveFile: () => Promise.resolve(null),
  chooseOpenFile: () => Promise.resolve(null),
  apply: quiet,
  status: () => ({ platform: 'linux', captureProtection: 'not-guaranteed', shortcuts: {}, overlayVisible: false }),
  onStatus: () => () => undefined
}

async function ask(desktop: Desktop, message: Extract<ToCore, { kind: 'ask' }>, sabotage: Sabotage): Promise<void> {
  const { turnId, sessionId, text } = message
  if (sabotage === 'early-accept') {
    // Says yes before it is true.
    say({ kind: 'accepted', turnId })
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
  try {
    await desktop.desk.ask({ turnId, sessionId, text })
    if (sabotage === 'twice') await desktop.desk.ask({ turnId: newId(), sessionId, text })
    if (sabotage !== 'early-accept') say({ kind: 'accepted', turnId })
  } catch (error) {
    say({ kind: 'refused', turnId, error: toCopilotError(error).toWire() })
  }
}

interface TalkOptions {
  readonly sabotage: Sabotage
  readonly expire: () => void
}

async function handle(desktop: Desktop, message: ToCore, { sabotage, expire }: TalkOptions): Promise<void> {
  switch (message.kind) {
    case 'ask':
      return ask(desktop, message, sabotage)
    case 'session':
      return say({ kind: 'session', title: message.title, id: (await desktop.sessionNamed(message.title)).id })
    case 'open': {
      const waiting = await desktop.desk.waiting()
      const failed = waiting.filter(({ delivery }) => delivery?.state === 'failed').length
      return say({ kind: 'open', open: waiting.length - failed, failed, link: (await desktop.snapshot()).link.state })
    }
    case 'recheck':
      return desktop.recheck()
    case 'expire':
      return expire()
    case 'stop':
      await desktop.stop()
      say({ kind: 'stopped' })
      process.exit(0)
  }
}

/** Starts the core and serves the run until it is stopped or killed. */
export async function talk(start: () => Promise<Desktop>, options: TalkOptions): Promise<void> {
  const end = (error: unknown): never => {
    say({ kind: 'failed', message: toCopilotError(error).message })
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  }
  // The run that started it was killed: nobody needs it any more.
  process.on('disconnect', () => process.exit(0))
  try {
    const desktop = await start()
    process.on('message', (message: ToCore) => void handle(desktop, message, options).catch(end))
    say({ kind: 'ready', incident: (await desktop.snapshot()).desktop.historyIncident })
  } catch (error) {
    end(error)
  }
}
