// A host without windows: it runs without Chromium, quickly, and its violations can be read from outside.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ELECTRON, FIXTURE_APP, runStandin, testFolder } from './run.ts'

// Processes are started here, on machines that may be busy: these limits end a hang, they measure nothing.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const NO_CHROMIUM = { STANDIN_CHROMIUM: '/nonexistent/chromium' }

describe('an app without windows', () => {
  it('runs where there is no Chromium, with its worker thread and its utility process', async () => {
    const { code, stdout, report } = await runStandin([FIXTURE_APP, '--no-windows'], NO_CHROMIUM)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'Fixture',
      version: '1.2.3',
      worker: { squared: 36, folder: FIXTURE_APP },
      utility: [{ arguments: ['--word', 'hello'], type: 'utility' }, expect.any(Number)]
    })
    expect(code).toBe(0)
    expect(report).toMatchObject({ exitCode: 0, violations: [], chromium: false })
  })

  it('reports its violations in the file that STANDIN_REPORT names', async () => {
    using folder = testFolder()
    writeFileSync(join(folder.path, 'package.json'), '{ "main": "main.cjs" }')
    writeFileSync(join(folder.path, 'main.cjs'), "const { app } = require('electron'); app.getAppMetrics2; app.whenReady().then(() => app.exit(3))")
    const { code, report } = await runStandin([folder.path], NO_CHROMIUM)
    expect(code).toBe(3)
    expect(report).toMatchObject({ exitCode: 3, violations: ['App#getAppMetrics2 is not in this Electron'] })
  })

  it('says in one sentence what is missing when it opens a window after all', async () => {
    const { code, stderr } = await runStandin([FIXTURE_APP], NO_CHROMIUM)
    expect(code).toBe(1)
    expect(stderr).toContain('A window needs Chromium and there is none: install it')
    expect(stderr).not.toContain('    at ')
  })

  it('goes on after an uncaught exception, as Electron does, and records it', async () => {
    using folder = testFolder()
    writeFileSync(join(folder.path, 'main.cjs'), "const { app } = require('electron'); setTimeout(() => app.quit(), 50); throw new Error('in main')")
    const { report } = await runStandin([join(folder.path, 'main.cjs')], NO_CHROMIUM)
    expect(report.violations).toStrictEqual(['uncaught exception in main: in main'])
  })
})

describe('a second instance', () => {
  const main = `
    import { app } from 'electron'
    if (!app.requestSingleInstanceLock({ text: process.argv.at(-1) })) {
      console.log('second')
      app.exit(0)
    } else {
      console.log('first')
      app.on('second-instance', (_event, argv, folder, data) => {
        console.log(JSON.stringify({ last: argv.at(-1), folder, data }))
        app.quit()
      })
    }`

  function app(folder: string): string {
    const file = join(folder, 'main.mjs')
    writeFileSync(file, main)
    return file
  }

  it('tells the first one its arguments and ends', async () => {
    using folder = testFolder()
    const data = `--user-data-dir=${join(folder.path, 'data')}`
    const first = spawn(ELECTRON, [app(folder.path), data], { stdio: ['ignore', 'pipe', 'inherit'] })
    let heard = ''
    first.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text
    })
    await once(first.stdout, 'data')
    const ended = once(first, 'close')
    const second = await runStandin([join(folder.path, 'main.mjs'), data, 'aside://ask?q=1'])
    expect(second).toMatchObject({ code: 0, stdout: 'second\n' })
    expect(await ended).toStrictEqual([0, null])
    expect(JSON.parse(heard.slice('first\n'.length))).toStrictEqual({
      last: 'aside://ask?q=1',
      folder: process.cwd(),
      data: { text: 'aside://ask?q=1' }
    })
  })

  it('takes over the lock of a process that died, even when its id is in use again', async () => {
    using folder = testFolder()
    const data = join(folder.path, 'data')
    mkdirSync(data)
    // This very process has the id, but it did not start then.
    symlinkSync(`${process.pid}|0|${join(folder.path, 'gone', 's')}`, join(data, 'standin-singleton'))
    writeFileSync(join(folder.path, 'once.mjs'), "import { app } from 'electron'; console.log(app.requestSingleInstanceLock()); app.exit(0)")
    expect(await runStandin([join(folder.path, 'once.mjs'), `--user-data-dir=${data}`])).toMatchObject({ code: 0, stdout: 'true\n' })
  })
})
