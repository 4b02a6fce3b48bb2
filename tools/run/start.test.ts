// `npm start`, with the stand-in's fixture app in place of the real one, as a process of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

// Processes are started here, on machines that may be busy: these limits end a hang, they measure nothing.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const START = new URL('./start.ts', import.meta.url).href
const APP = `
  const { app } = require('electron')
  app.on('will-quit', () => console.log('will-quit'))
  app.whenReady().then(() => {
    console.log(JSON.stringify(process.argv.slice(2)))
    if (process.argv.includes('--end')) app.exit(7)
  })`

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aside-start-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "starter", "main": "main.js" }')
  writeFileSync(join(folder, 'main.js'), APP)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Starts without a display; `onOutput` sees stdout as it comes. */
function startApp(args: readonly string[], onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined) {
  const code = `const { start } = await import(${JSON.stringify(START)}); process.exitCode = await start(${JSON.stringify(args)}, { root: ${JSON.stringify(folder)}, build: async () => {} })`
  const env = { ...process.env, STANDIN: '1', XDG_CONFIG_HOME: folder }
  Reflect.deleteProperty(env, 'DISPLAY')
  Reflect.deleteProperty(env, 'WAYLAND_DISPLAY')
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.stdout += text
    onOutput(out.stdout, (signal) => child.kill(signal))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    out.stderr += text
  })
  return new Promise<typeof out & { exit: number | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve({ ...out, exit }))
  })
}

describe.skipIf(process.platform !== 'linux')('npm start on a machine without a display', () => {
  it('says so in two lines, runs without windows, and ends with the exit code of the app', async () => {
    const { exit, stdout, stderr } = await startApp(['--', '--end', 'word'])
    expect(exit).toBe(7)
    expect(JSON.parse(stdout)).toStrictEqual(['--end', 'word', '--no-windows'])
    expect(stderr.trim().split('\n')).toStrictEqual([
      'There is no display here, so Aside runs without windows.',
      'Ask it from another terminal: npm run --silent ask -- "your question"'
    ])
  })

  it('lets the app end in order when it is told to stop', async () => {
    const { exit, stdout } = await startApp([], (text, kill) => {
      if (text.includes('--no-windows')) kill('SIGTERM')
    })
    expect(stdout).toContain('will-quit')
    expect(exit).toBe(0)
  })
})
