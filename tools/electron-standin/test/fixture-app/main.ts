// A small Electron app for the stand-in's tests: windows, IPC, a scheme of its own, a worker, a utility process.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import {
  app,
  BrowserWindow,
  globalShortcut,
  ipcMain,
  Menu,
  nativeImage,
  nativeTheme,
  net,
  powerMonitor,
  protocol,
  screen,
  session,
  shell,
  Tray,
  utilityProcess,
  type IpcMainInvokeEvent
} from 'electron'

const PAGES = join(import.meta.dirname, 'pages')
const POLICY = "default-src 'self'; script-src 'self'; connect-src app: 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
/** What happened, for the tests to read. */
const log: string[] = []
Object.assign(globalThis, { fixtureLog: log })

protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } }])
const withWindows = !process.argv.includes('--no-windows')
if (!app.requestSingleInstanceLock({ from: process.pid })) app.exit(0)

async function servePage(request: Request): Promise<Response> {
  const url = new URL(request.url)
  if (url.host !== 'bundle') return new Response('not found', { status: 404 })
  if (url.pathname === '/stream') return streamed()
  if (url.pathname === '/echo') return new Response(`${request.method} ${request.headers.get('origin') ?? ''} ${await request.text()}`)
  const file = await net.fetch(pathToFileURL(join(PAGES, url.pathname)).href)
  const headers = new Headers(file.headers)
  headers.set('content-security-policy', POLICY)
  return new Response(file.body, { status: file.status, headers })
}

function streamed(): Response {
  let count = 0
  const body = new ReadableStream({
    async pull(controller) {
      if (count === 4) {
        controller.close()
        return
      }
      count += 1
      controller.enqueue(new TextEncoder().encode(`piece ${count}\n`))
      // Each piece is its own: the page must see them come.
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  return new Response(body, { headers: { 'content-type': 'text/plain' } })
}

const webPreferences = { preload: join(import.meta.dirname, 'preload.cjs'), sandbox: true, contextIsolation: true, nodeIntegration: false }

function createMain(): void {
  const window = new BrowserWindow({ width: 900, height: 600, x: 40, y: 60, minWidth: 320, show: false, title: 'Fixture', webPreferences })
  window.once('ready-to-show', () => window.show())
  window.webContents.setWindowOpenHandler(({ url }) => {
    log.push(`open ${url}`)
    void shell.openExternal(url)
    return { action: 'deny' }
  })
  window.webContents.on('will-navigate', (event) => {
    log.push(`navigate ${event.url}`)
    if (!event.url.startsWith('app://bundle/')) event.preventDefault()
  })
  void window.loadURL('app://bundle/main.html')
}

let overlay: BrowserWindow | undefined

function toggleOverlay(): boolean {
  if (!overlay || overlay.isDestroyed()) {
    const { workArea } = screen.getPrimaryDisplay()
    overlay = new BrowserWindow({
      width: 360,
      height: 160,
      x: workArea.x + 20,
      y: 20,
      frame: false,
      alwaysOnTop: true,
      skipTaskbar: true,
      show: false,
      webPreferences
    })
    overlay.setContentProtection(true)
    void overlay.loadURL('app://bundle/overlay.html')
  }
  if (overlay.isVisible()) overlay.hide()
  else overlay.showInactive()
  return overlay.isVisible()
}

const askWorker = (value: number): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: value })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const askUtility = (value: unknown): Promise<unknown> =>
  new Promise((resolve) => {
    const child = utilityProcess.fork(join(import.meta.dirname, 'utility.ts'), ['--word', 'hello'], { serviceName: 'fixture' })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, not a window
    child.postMessage(value)
    child.once('message', (answer) => {
      child.once('exit', (code) => resolve([answer, code]))
      child.kill()
    })
  })

function needOwnPage(event: IpcMainInvokeEvent): void {
  if (!event.senderFrame?.url.startsWith('app://bundle/')) throw new Error('forbidden sender')
}

function handleIpc(): void {
  ipcMain.handle('echo', (event, value: unknown) => {
    needOwnPage(event)
    return value
  })
  ipcMain.handle('boom', () => {
    throw new TypeError('boom!')
  })
  ipcMain.handle('worker', (_event, value: number) => askWorker(value))
  ipcMain.handle('utility', (_event, value: unknown) => askUtility(value))
  ipcMain.handle('push', (event, count: number) => {
    for (let index = 0; index < count; index += 1) event.sender.send('tick', index)
  })
}

app.on('second-instance', (_event, argv, _folder, data) => log.push(`second ${argv.at(-1) ?? ''} ${JSON.stringify(data)}`))
app.on('open-url', (_event, url) => log.push(`url ${url}`))
app.on('window-all-closed', () => {
  log.push('window-all-closed')
  app.quit()
})
app.on('before-quit', () => log.push('before-quit'))
app.on('will-quit', () => globalShortcut.unregisterAll())

async function runWithoutWindows(): Promise<void> {
  console.log(
    JSON.stringify({
      worker: await askWorker(6),
      utility: await askUtility(new Map([['key', new Uint8Array([1, 2])]])),
      name: app.getName(),
      version: app.getVersion()
    })
  )
  app.quit()
}

function run(): void {
  protocol.handle('app', servePage)
  handleIpc()
  if (!withWindows) {
    void runWithoutWindows()
    return
  }
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, callback) => callback(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      { label: 'File', submenu: [{ label: 'Toggle overlay', accelerator: 'CmdOrCtrl+O', click: () => void toggleOverlay() }, { role: 'quit' }] }
    ])
  )
  const tray = new Tray(nativeImage.createEmpty())
  tray.on('click', () => log.push('tray'))
  globalShortcut.register('CommandOrControl+Shift+Space', () => void toggleOverlay())
  powerMonitor.on('resume', () => log.push('resume'))
  nativeTheme.on('updated', () => log.push(`dark ${String(nativeTheme.shouldUseDarkColors)}`))
  createMain()
}

void app.whenReady().then(run)
