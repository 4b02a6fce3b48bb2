// `dialog`, `shell` and `clipboard`: recorded for tests; with STANDIN_DESKTOP=1 links, files and copied text reach the real desktop.
import { spawn } from 'node:child_process'
import type { Dialog, MessageBoxReturnValue, OpenDialogReturnValue, SaveDialogReturnValue, Shell } from 'electron'
import { config } from './config.ts'
import { hooks, type ShownDialog } from './hooks.ts'
import { conversionFailure, needReady } from './state.ts'
import { strictModule } from './strict.ts'

// ---- dialog ----

/** Takes `[window, options]` or `[options]`. Answers what a test has laid ready, else as if it had been closed. */
function show<T>(kind: ShownDialog['kind'], closed: T): (...args: unknown[]) => Promise<T> {
  return async (...args) => {
    needReady('dialog module can only be used after app is ready')
    hooks.dialogs.push({ kind, options: args.at(-1) })
    return hooks.dialogAnswers.length > 0 ? (hooks.dialogAnswers.shift() as T) : closed
  }
}

export const dialog = strictModule('dialog', 'Dialog', {
  showOpenDialog: show<OpenDialogReturnValue>('open', { canceled: true, filePaths: [] }),
  showSaveDialog: show<SaveDialogReturnValue>('save', { canceled: true, filePath: '' }),
  showMessageBox: show<MessageBoxReturnValue>('message', { response: 0, checkboxChecked: false }),
  showErrorBox(title: string, content: string): void {
    hooks.dialogs.push({ kind: 'error', options: { title, content } })
    console.error(`${title}\n${content}`)
  }
} satisfies Partial<Dialog>)

// ---- shell ----

const OPENER = process.platform === 'darwin' ? 'open' : 'xdg-open'

function open(target: string): void {
  hooks.opened.push(target)
  if (!config.desktop) return
  const child = spawn(OPENER, [target], { stdio: 'ignore', detached: true })
  child.on('error', (error) => console.error(`[standin] ${OPENER} could not be started: ${error.message}`))
  child.unref()
}

export const shell = strictModule('shell', 'Shell', {
  async openExternal(url: string): Promise<void> {
    if (!URL.canParse(url)) throw new Error('Invalid URL')
    open(url)
  },
  async openPath(path: string): Promise<string> {
    open(path)
    return ''
  },
  showItemInFolder: (path: string): void => open(path),
  beep(): void {}
} satisfies Partial<Shell>)

// ---- clipboard ----

/** Programs that take the text to copy on stdin. The first that is installed is used. */
const COPIERS: readonly (readonly [string, ...string[]])[] =
  process.platform === 'darwin' ? [['pbcopy']] : [['wl-copy'], ['xclip', '-selection', 'clipboard'], ['xsel', '--clipboard', '--input']]

function copyToDesktop(text: string, [next, ...others] = COPIERS): void {
  if (next === undefined) {
    console.error('[standin] the text is copied inside Aside only: install wl-clipboard, xclip or xsel to copy to other programs')
    return
  }
  const [command, ...args] = next
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.on('error', () => copyToDesktop(text, others))
  // The error event above tells that there is no such program; the pipe's own error says it again.
  child.stdin.on('error', () => undefined)
  child.stdin.end(text)
  child.unref()
}

// Since Electron 45 every method but clear returns a promise.
function createClipboard(contents: Map<string, string>, isShared: boolean) {
  return {
    readText: async (): Promise<string> => contents.get('text/plain') ?? '',
    async writeText(text: string): Promise<void> {
      if (typeof text !== 'string') throw conversionFailure(text)
      contents.clear()
      contents.set('text/plain', text)
      if (isShared && config.desktop && !config.headless) copyToDesktop(text)
    },
    has: async (mediaType: string): Promise<boolean> => contents.has(mediaType),
    clear: (): void => contents.clear()
  }
}

export const clipboard = strictModule('clipboard', 'Clipboard', {
  ...createClipboard(hooks.clipboard, true),
  selection: process.platform === 'linux' ? createClipboard(new Map(), false) : undefined
})
