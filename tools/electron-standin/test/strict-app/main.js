// An app that does everything wrong once. Each line of its answer: a rule of real Electron's, and what the stand-in made of it.
const path = require('node:path')
const {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  globalShortcut,
  ipcMain,
  MessageChannelMain,
  nativeImage,
  Notification,
  protocol,
  safeStorage,
  screen,
  session,
  Tray,
  utilityProcess
} = require('electron')

const answers = {}

function say(what, act) {
  try {
    answers[what] = act() ?? null
  } catch (error) {
    answers[what] = `throws ${error.constructor.name}: ${error.message}`
  }
}

async function sayAsync(what, act) {
  try {
    answers[what] = (await act()) ?? null
  } catch (error) {
    answers[what] = `rejects ${error.message}`
  }
}

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)))

function windowWith(preload) {
  return new BrowserWindow({ show: false, webPreferences: { preload: path.join(__dirname, preload) } })
}

async function preloadError(preload) {
  const window = windowWith(preload)
  const failed = once(window.webContents, 'preload-error')
  await window.loadURL('data:text/html,<p>x')
  const [, file, error] = await failed
  answers[`preload ${path.basename(file)}`] = error.message
  window.destroy()
}

say('BrowserWindow before ready', () => new BrowserWindow())
say('screen before ready', () => screen.getPrimaryDisplay())
say('session before ready', () => session.defaultSession)
say('globalShortcut before ready', () => globalShortcut.register('Alt+A', () => {}))
say('Tray before ready', () => new Tray(nativeImage.createEmpty()))
say('Notification before ready', () => new Notification())
say('safeStorage before ready', () => safeStorage.encryptString('x'))
say('safeStorage backend before ready', () => safeStorage.getSelectedStorageBackend())
say('utilityProcess before ready', () => utilityProcess.fork('x.js'))
say('protocol.handle before ready', () => protocol.handle('app', () => new Response('')))
say('clipboard.readHTML, gone from Electron', () => typeof clipboard.readHTML)
say('app.neverExisted', () => typeof app.neverExisted)
say('app.isReady', () => app.isReady())
// Windows come and go here.
app.on('window-all-closed', () => {})
app.on('no-such-event', () => {})
app.on('gpu-info-update', () => {})
protocol.registerSchemesAsPrivileged([{ scheme: 'weak', privileges: {} }])
ipcMain.handle('function', () => () => 1)
ipcMain.handle('cycle', () => {
  const value = { n: 1 }
  value.self = value
  return value
})

async function run() {
  say('registerSchemesAsPrivileged after ready', () => protocol.registerSchemesAsPrivileged([]))
  say('disableHardwareAcceleration after ready', () => app.disableHardwareAcceleration())
  say('appendSwitch after ready', () => app.commandLine.appendSwitch('late'))
  say('protocol.handle for a weak scheme', () => protocol.handle('weak', () => new Response('')))
  say('second ipcMain.handle', () => ipcMain.handle('function', () => 1))
  say('sandbox: false', () => new BrowserWindow({ webPreferences: { sandbox: false } }))
  say('nodeIntegration: true', () => new BrowserWindow({ webPreferences: { nodeIntegration: true } }))
  say('contextIsolation: false', () => new BrowserWindow({ webPreferences: { contextIsolation: false } }))
  say('partition', () => new BrowserWindow({ webPreferences: { partition: 'x' } }))
  say('bad accelerator', () => globalShortcut.register('Hyper+Foo', () => {}))
  say('MessageChannelMain', () => new MessageChannelMain())
  say('safeStorage backend', () => [safeStorage.getSelectedStorageBackend(), safeStorage.isEncryptionAvailable()])
  say('safeStorage in plain text', () => {
    safeStorage.setUsePlainTextEncryption(true)
    return safeStorage.decryptString(safeStorage.encryptString('é'))
  })
  say('dialog.showOpenDialogSync', () => dialog.showOpenDialogSync({}))
  say('webRequest on a custom scheme', () => session.defaultSession.webRequest.onHeadersReceived({ urls: ['weak://*/*'] }, () => {}))

  await preloadError('preload-fs.js')
  await preloadError('preload-esm.js')

  const window = windowWith('preload.js')
  say('setBounds with a fraction', () => window.setBounds({ x: 1.5 }))
  await sayAsync('an unknown scheme', () => window.loadURL('nope://x/'))
  await window.loadURL('data:text/html,<title>strict</title><p>x')
  window.webContents.send('x', () => 1)
  const js = (code) => window.webContents.executeJavaScript(code)
  await sayAsync('invoke: the handler returns a function', () => js('api.invoke("function").catch((e) => e.message)'))
  await sayAsync('invoke: no handler', () => js('api.invoke("nobody").catch((e) => e.message)'))
  await sayAsync('invoke: a cyclic value', () => js('api.invoke("cycle").then((v) => v.self.self.n)'))
  await sayAsync('invoke: a promise inside', () => js('api.invoke("function", Promise.resolve()).catch((e) => e.message)'))
  await sayAsync('contextBridge: a symbol', () => js('(() => { try { api.symbol() } catch (e) { return e.message } })()'))
  await sayAsync('contextBridge: overwriting', () => js('(() => { "use strict"; try { window.api = 1 } catch (e) { return e.constructor.name } })()'))
  await sayAsync('ipcRenderer.sendSync', () => js('(() => { try { api.sendSync() } catch (e) { return e.message } })()'))
  await js('api.send("nobody-listens")')
  window.destroy()
  say('a destroyed window', () => window.show())
  say('its isDestroyed', () => window.isDestroyed())
  console.log(JSON.stringify({ answers, violations: globalThis.__standin.violations }))
  app.quit()
}

void app.whenReady().then(run)
