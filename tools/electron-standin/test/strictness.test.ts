// The strictness list: what real Electron would refuse, drop or do differently, one by one, in one app that does it all.
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { needChromium, runStandin, STRICT_APP } from './run.ts'

// Processes are started here, on machines that may be busy: these limits end a hang, they measure nothing.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

interface Answers {
  readonly answers: Readonly<Record<string, unknown>>
  readonly violations: readonly string[]
}

describe('an app that breaks the rules', () => {
  let said: Answers

  beforeAll(async () => {
    needChromium()
    const { stdout } = await runStandin([STRICT_APP])
    said = JSON.parse(stdout) as Answers
  })

  it.each([
    ['BrowserWindow before ready', 'throws Error: Cannot create BrowserWindow before app is ready'],
    ['screen before ready', "throws Error: The 'screen' module can't be used before the app 'ready' event"],
    ['session before ready', 'throws Error: Session can only be received when app is ready'],
    ['globalShortcut before ready', 'throws Error: globalShortcut cannot be used before the app is ready'],
    ['Tray before ready', 'throws Error: Cannot create Tray before app is ready'],
    ['Notification before ready', 'throws Error: Cannot create Notification before app is ready'],
    ['safeStorage before ready', 'throws Error: safeStorage cannot be used before app is ready'],
    ['utilityProcess before ready', 'throws Error: utilityProcess cannot be created before app is ready'],
    ['protocol.handle before ready', 'throws Error: protocol.handle can only be used when app is ready'],
    ['registerSchemesAsPrivileged after ready', 'throws Error: protocol.registerSchemesAsPrivileged should be called before app is ready'],
    ['disableHardwareAcceleration after ready', 'throws Error: app.disableHardwareAcceleration() can only be called before app is ready'],
    ['second ipcMain.handle', "throws Error: Attempted to register a second handler for 'function'"]
  ])('%s: throws as Electron does, and is recorded', (what, answer) => {
    expect(said.answers[what]).toBe(answer)
    expect(said.violations).toContain(answer.replace('throws Error: ', ''))
  })

  it.each([
    ['sandbox: false', 'webPreferences.sandbox: false'],
    ['nodeIntegration: true', 'webPreferences.nodeIntegration: true'],
    ['contextIsolation: false', 'webPreferences.contextIsolation: false'],
    ['partition', "webPreferences.partition: 'x'"],
    ['MessageChannelMain', 'MessageChannelMain'],
    ['dialog.showOpenDialogSync', 'dialog.showOpenDialogSync']
  ])('%s: says that it is not in the stand-in, and is recorded', (what, name) => {
    expect(said.answers[what]).toBe(`throws Error: [standin] ${name} exists in Electron but is not in the stand-in`)
    expect(said.violations).toContain(`${name} exists in Electron but is not in the stand-in`)
  })

  it.each([
    ['safeStorage backend before ready', 'unknown'],
    ['safeStorage backend', ['basic_text', false]],
    ['safeStorage in plain text', 'é'],
    ['clipboard.readHTML, gone from Electron', 'undefined'],
    ['app.neverExisted', 'undefined'],
    ['app.isReady', false],
    ['bad accelerator', "throws TypeError: Error processing argument at index 0, conversion failure from 'Hyper+Foo'"],
    ['setBounds with a fraction', 'throws TypeError: Error processing argument at index 0, conversion failure from { x: 1.5 }'],
    ['preload preload-fs.js', 'module not found: fs'],
    ['preload preload-esm.js', 'Cannot use import statement outside a module'],
    ['an unknown scheme', "rejects ERR_UNKNOWN_URL_SCHEME (-302) loading 'nope://x/'"],
    ['invoke: the handler returns a function', "Error invoking remote method 'function': Error: An object could not be cloned."],
    ['invoke: no handler', "Error invoking remote method 'nobody': Error: No handler registered for 'nobody'"],
    ['invoke: a cyclic value', 1],
    ['invoke: a promise inside', 'An object could not be cloned.'],
    ['contextBridge: a symbol', 'Cannot pass a symbol over the contextBridge'],
    ['contextBridge: overwriting', 'TypeError'],
    ['ipcRenderer.sendSync', '[standin] ipcRenderer.sendSync exists in Electron but is not in the stand-in'],
    ['a destroyed window', 'throws TypeError: Object has been destroyed'],
    ['its isDestroyed', true]
  ])('%s: answers as Electron does', (what, answer) => {
    expect(said.answers[what]).toStrictEqual(answer)
  })

  it.each([
    "App has no event 'no-such-event' in this Electron",
    "App event 'gpu-info-update' never fires in the stand-in",
    'App#neverExisted is not in this Electron',
    'clipboard.readHTML is not in this Electron',
    "app.commandLine.appendSwitch('late') after ready has no effect",
    'webRequest.onHeadersReceived for weak://*/*: webRequest does not see custom schemes, set headers in protocol.handle',
    "webContents.send('x'): Failed to serialize arguments (Electron only logs this and drops the message)",
    "ipcRenderer.send('nobody-listens') has no listener in main: Electron drops it silently"
  ])('records: %s', (violation) => {
    expect(said.violations).toContain(violation)
  })

  it('records preloads that are not sandboxed CommonJS', () => {
    expect(said.violations.filter((violation) => violation.startsWith('preload '))).toHaveLength(2)
  })
})
