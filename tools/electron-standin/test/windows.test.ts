// Windows, pages and IPC, driven by Playwright's stock `_electron.launch()`, as the app's own end-to-end tests do.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ElectronApplication, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StandinHooks } from '../src/hooks.ts'
import { launchFixture, needChromium, runStandin, testFolder, FIXTURE_APP, type TestFolder } from './run.ts'

// Processes are started here, on machines that may be busy: these limits end a hang, they measure nothing.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

/** What the fixture's preload puts on the page's `window`. */
interface FixtureApi {
  invoke(channel: string, ...values: unknown[]): Promise<unknown>
  sendFunction(): string
  onTick(listener: (count: number) => void): () => void
  callBack(callback: (value: number) => number): number
  reject(): Promise<never>
  readonly point: object
  readonly versions: Record<string, string>
}

/** A page's globals, for functions that run there. */
interface FixtureWindow {
  readonly api: FixtureApi
  readonly exposedTwice: string
  readonly isSecureContext: boolean
  readonly innerWidth: number
  readonly innerHeight: number
  readonly location: { href: string }
  readonly document: { readonly body: { readonly dataset: Record<string, string>; append(node: unknown): void } }
  matchMedia(query: string): { readonly matches: boolean }
}

declare const window: FixtureWindow

/** Main's globals, for functions that run there. */
interface MainGlobals {
  readonly __standin: StandinHooks
  readonly fixtureLog: string[]
}

let folder: TestFolder
let app: ElectronApplication
let page: Page

const log = (): Promise<string[]> => app.evaluate(() => (globalThis as unknown as MainGlobals).fixtureLog)
const windowAt = (name: string): Promise<Page> =>
  expect
    .poll(() => app.windows().find((candidate) => candidate.url().endsWith(name)), { timeout: 5_000 })
    .toBeDefined()
    .then(() => app.windows().find((candidate) => candidate.url().endsWith(name))!)

beforeAll(async () => {
  needChromium()
  folder = testFolder()
  app = await launchFixture(folder.path)
  page = await app.firstWindow()
  await page.waitForSelector('[data-sum]')
})

afterAll(async () => {
  await app.close()
  folder[Symbol.dispose]()
})

describe('a window', () => {
  it('has its size, place, title and address as the app knows them', async () => {
    const handle = await app.browserWindow(page)
    expect(
      await handle.evaluate((own) => ({
        bounds: own.getBounds(),
        title: own.getTitle(),
        url: own.webContents.getURL(),
        visible: own.isVisible(),
        focused: own.isFocused()
      }))
    ).toStrictEqual({
      bounds: { x: 40, y: 60, width: 900, height: 600 },
      title: 'Fixture main',
      url: 'app://bundle/main.html',
      visible: true,
      focused: true
    })
    expect(await page.evaluate(() => [window.innerWidth, window.innerHeight])).toStrictEqual([900, 600])
  })

  it('becomes as small as asked, not smaller than its minimum, and is pictured at exactly that size', async () => {
    const own = await app.browserWindow(page)
    await own.evaluate((window) => window.setBounds({ width: 200, height: 480 }))
    await expect.poll(() => page.evaluate(() => [window.innerWidth, window.innerHeight])).toStrictEqual([320, 480])
    const size = await own.evaluate(async (window) => (await window.webContents.capturePage()).getSize())
    expect(size).toStrictEqual({ width: 320, height: 480 })
    const pdf = await own.evaluate(async (window) => (await window.webContents.printToPDF({ pageSize: 'A4' })).toString('latin1', 0, 5))
    expect(pdf).toBe('%PDF-')
    await own.evaluate((window) => window.setBounds({ width: 900, height: 600 }))
  })

  it('hides, shows without taking the focus, and is on top, by a global shortcut', async () => {
    const press = (): Promise<boolean> => app.evaluate(() => (globalThis as unknown as MainGlobals).__standin.triggerShortcut('Shift+Ctrl+Space'))
    expect(await press()).toBe(true)
    const overlay = await windowAt('overlay.html')
    const own = await app.browserWindow(overlay)
    expect(await own.evaluate((window) => [window.isAlwaysOnTop(), window.isVisible(), window.isFocused()])).toStrictEqual([true, true, false])
    expect(await overlay.evaluate(() => [window.innerWidth, window.innerHeight])).toStrictEqual([360, 160])
    await press()
    expect(await own.evaluate((window) => window.isVisible())).toBe(false)
    expect(await app.evaluate(() => (globalThis as unknown as MainGlobals).__standin.contentProtection)).toStrictEqual([
      { windowId: 2, enabled: true, visible: false }
    ])
    await own.evaluate((window) => window.destroy())
    await expect.poll(() => app.windows().length).toBe(1)
  })
})

describe('a page', () => {
  it('is pictured even while its window is hidden', async () => {
    const size = await app.evaluate(async ({ BrowserWindow }) => {
      const hidden = new BrowserWindow({ width: 333, height: 222, show: false })
      await hidden.loadURL('app://bundle/overlay.html')
      hidden.show()
      hidden.hide()
      const picture = await hidden.capturePage()
      hidden.destroy()
      return picture.getSize()
    })
    expect(size).toStrictEqual({ width: 333, height: 222 })
  })

  it('zooms within the same picture', async () => {
    const handle = await app.browserWindow(page)
    await handle.evaluate((own) => own.webContents.setZoomFactor(2))
    await expect.poll(() => page.evaluate(() => window.innerWidth)).toBe(450)
    expect(await handle.evaluate(async (own) => (await own.capturePage()).getSize())).toStrictEqual({ width: 900, height: 600 })
    await handle.evaluate((own) => own.webContents.setZoomFactor(1))
  })

  it('rejects with the network error when it can not be loaded', async () => {
    const failure = await app.evaluate(async ({ BrowserWindow }) => {
      const other = new BrowserWindow({ show: false })
      const error = await other.loadURL('http://127.0.0.1:1/').catch((reason: unknown) => reason as { code: string; errno: number })
      other.destroy()
      return error ? [error.code, error.errno] : null
    })
    expect(failure).toStrictEqual(['ERR_UNSAFE_PORT', -312])
  })

  it('reloads without asking the app where to', async () => {
    const handle = await app.browserWindow(page)
    await handle.evaluate(async (own) => {
      const loaded = new Promise<void>((resolve) => own.webContents.once('did-finish-load', () => resolve()))
      own.reload()
      await loaded
    })
    await page.waitForSelector('[data-sum]')
    expect(await log()).toStrictEqual([])
  })

  it('loses what it stored when the app says so', async () => {
    const left = await app.evaluate(async ({ BrowserWindow, session }) => {
      const { webContents } = BrowserWindow.getAllWindows()[0]!
      await webContents.executeJavaScript('localStorage.kept = 1')
      await session.defaultSession.clearStorageData()
      return (await webContents.executeJavaScript('localStorage.length')) as number
    })
    expect(left).toBe(0)
  })

  it('tells of its crash', async () => {
    const crash = await app.evaluate(async ({ BrowserWindow }) => {
      const other = new BrowserWindow({ show: false })
      await other.loadURL('app://bundle/overlay.html')
      const gone = new Promise((resolve) => other.webContents.once('render-process-gone', (_event, details) => resolve(details)))
      other.loadURL('chrome://crash').catch(() => undefined)
      const details = await gone
      const crashed = other.webContents.isCrashed()
      other.destroy()
      return [details, crashed]
    })
    expect(crash).toStrictEqual([{ reason: 'crashed', exitCode: 1 }, true])
  })
})

describe('the preload', () => {
  it('was there before the page, frozen, and leaked nothing', async () => {
    expect(
      await page.evaluate(() => ({
        sum: window.document.body.dataset['sum'],
        frozen: Object.isFrozen(window.api),
        twice: window.exposedTwice,
        leaks: ['require', 'process', 'module', '__standin_in', '__standin_out', '__standin'].filter((name) => name in window),
        point: JSON.stringify(window.api.point),
        electron: window.api.versions['electron'],
        secure: window.isSecureContext
      }))
    ).toStrictEqual({
      sum: '5',
      frozen: true,
      twice: 'Cannot bind an API on top of an existing property on the window object',
      leaks: [],
      point: '{"x":1}',
      electron: expect.stringMatching(/^45\./) as string,
      secure: true
    })
  })

  it('takes callbacks and gives rejections across the worlds', async () => {
    expect(
      await page.evaluate(async () => [window.api.callBack((value) => value + 1), await window.api.reject().catch((error: Error) => error.message)])
    ).toStrictEqual([42, 'no'])
  })
})

describe('IPC', () => {
  it('clones values both ways', async () => {
    const back = await page.evaluate(async () => {
      const map = (await window.api.invoke('echo', new Map([['a', new Uint8Array([1, 2])]]))) as Map<string, Uint8Array>
      const date = await window.api.invoke('echo', new Date(5))
      const text = await window.api.invoke('echo', '\uD800<script>\u0000\u2028')
      return {
        isMap: map instanceof Map,
        bytes: [...(map.get('a') ?? [])],
        isDate: date instanceof Date,
        sameText: text === '\uD800<script>\u0000\u2028',
        missing: await window.api.invoke('echo')
      }
    })
    expect(back).toStrictEqual({ isMap: true, bytes: [1, 2], isDate: true, sameText: true, missing: undefined })
  })

  it("gives an error's text only, and refuses a function", async () => {
    expect(
      await page.evaluate(async () => [await window.api.invoke('boom').catch((error: Error) => error.message), window.api.sendFunction()])
    ).toStrictEqual(["Error invoking remote method 'boom': TypeError: boom!", 'An object could not be cloned.'])
  })

  it('pushes in order without losing any', async () => {
    const got = await page.evaluate(async () => {
      const counts: number[] = []
      const done = new Promise<void>((resolve) => window.api.onTick((count) => counts.push(count) === 5_000 && resolve()))
      await window.api.invoke('push', 5_000)
      await done
      return counts
    })
    expect(got).toStrictEqual(Array.from({ length: 5_000 }, (_none, index) => index))
  })

  it('reaches worker threads and utility processes', async () => {
    expect(await page.evaluate(async () => [await window.api.invoke('worker', 7), await window.api.invoke('utility', 'x')])).toMatchObject([
      { squared: 49 },
      [{ data: 'x', type: 'utility' }, expect.any(Number)]
    ])
  })
})

describe("the app's scheme", () => {
  it('streams an answer piece by piece', async () => {
    const pieces = await page.evaluate(async () => {
      const reader = (await fetch('/stream')).body!.getReader()
      const texts: string[] = []
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) texts.push(new TextDecoder().decode(piece.value))
      return texts
    })
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('')).toBe('piece 1\npiece 2\npiece 3\npiece 4\n')
  })

  it("hands the page's origin and body to the handler", async () => {
    expect(await page.evaluate(async () => (await fetch('/echo', { method: 'POST', body: 'é' })).text())).toBe('POST app://bundle é')
  })

  it('enforces the policy on its response', async () => {
    const blocked = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const { document } = globalThis as unknown as {
            document: {
              addEventListener(name: string, listener: (event: { violatedDirective: string }) => void): void
              createElement(name: string): { textContent: string }
              body: { append(node: unknown): void }
            }
          }
          document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective))
          const script = document.createElement('script')
          script.textContent = 'window.evil = 1'
          document.body.append(script)
        })
    )
    expect(blocked).toBe('script-src-elem')
  })
})

describe('guards', () => {
  it('ask the app about a link to the outside, and open no window', async () => {
    await page.getByRole('link', { name: 'outside' }).click()
    await expect.poll(log).toContain('open https://example.com/')
    expect(app.windows()).toHaveLength(1)
    expect(await app.evaluate(() => (globalThis as unknown as MainGlobals).__standin.opened)).toContain('https://example.com/')
  })

  it('let no popup reach anybody, however many there are', async () => {
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    for (let count = 0; count < 10; count += 1)
      await page.evaluate(
        (to) => void (globalThis as unknown as { open(url: string, name: string, features: string): unknown }).open(to, '_blank', 'width=200'),
        url
      )
    await expect.poll(async () => (await log()).filter((line) => line === `open ${url}`)).toHaveLength(10)
    await expect.poll(() => app.windows().length).toBe(1)
    expect(asked).toBe(0)
    server.close()
  })

  it('ask the app about a navigation, and stay', async () => {
    await page.evaluate(() => {
      window.location.href = 'https://evil.example/'
    })
    await expect.poll(log).toContain('navigate https://evil.example/')
    expect(await page.getByRole('heading', { name: 'Fixture' }).isVisible()).toBe(true)
  })

  it('deny permissions by the handlers', async () => {
    expect(
      await page.evaluate(
        async () =>
          (
            await (navigator as unknown as { permissions: { query(what: object): Promise<{ state: string }> } }).permissions.query({
              name: 'geolocation'
            })
          ).state
      )
    ).toBe('denied')
  })
})

describe('the system around', () => {
  it('changes to dark', async () => {
    await app.evaluate(({ nativeTheme }) => {
      nativeTheme.themeSource = 'dark'
    })
    await expect.poll(() => page.evaluate(() => window.matchMedia('(prefers-color-scheme: dark)').matches)).toBe(true)
    expect(await log()).toContain('dark true')
  })

  it('clicks menus and the tray, wakes up, and follows links', async () => {
    const clicked = await app.evaluate(() => {
      const { __standin: standin } = globalThis as unknown as MainGlobals
      standin.power('resume')
      standin.openUrl('aside://ask')
      return [standin.triggerTray('click'), standin.clickMenu(['File', 'nothing']), standin.clickMenu(['File', 'Toggle overlay'])]
    })
    expect(clicked).toStrictEqual([true, false, true])
    expect(await log()).toEqual(expect.arrayContaining(['resume', 'url aside://ask', 'tray']))
    const overlay = await windowAt('overlay.html')
    await overlay.close()
    await expect.poll(() => app.windows().length).toBe(1)
  })

  it('brings a second instance to the first', async () => {
    const second = await runStandin([FIXTURE_APP, `--user-data-dir=${folder.path}`, 'aside://ask?q=x'])
    expect(second.code).toBe(0)
    expect(await log()).toContainEqual(expect.stringContaining('second aside://ask?q=x {"from":'))
  })

  it('has nothing to complain of in all that', async () => {
    expect(await app.evaluate(() => (globalThis as unknown as MainGlobals).__standin.violations)).toStrictEqual([])
  })
})

describe('the end', () => {
  it('is put off by a window that does not want to close', async () => {
    const kept = await app.evaluate(({ app: own, BrowserWindow }) => {
      const first = BrowserWindow.getAllWindows()[0]!
      first.once('close', (event) => event.preventDefault())
      own.quit()
      first.once('close', (event) => event.preventDefault())
      first.close()
      return !first.isDestroyed()
    })
    expect(kept).toBe(true)
    expect(await page.getByRole('heading', { name: 'Fixture' }).isVisible()).toBe(true)
  })

  it('comes when the last window is closed', async () => {
    using own = testFolder()
    const other = await launchFixture(own.path)
    const only = await other.firstWindow()
    await only.waitForSelector('[data-sum]')
    const exited = once(other.process(), 'exit')
    await only.close()
    expect(await exited).toStrictEqual([0, null])
  })

  it('of Chromium closes the windows and leaves the rest to the app', async () => {
    using own = testFolder()
    const other = await launchFixture(own.path)
    await (await other.firstWindow()).waitForSelector('[data-sum]')
    const exited = once(other.process(), 'exit')
    await other.evaluate(({ BrowserWindow }) => void process.kill(BrowserWindow.getAllWindows()[0]!.webContents.getOSProcessId(), 'SIGKILL'))
    expect(await exited).toStrictEqual([0, null])
  })
})
