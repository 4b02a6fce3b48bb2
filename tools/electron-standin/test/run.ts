// Runs the stand-in for its tests: as a child process, or under Playwright exactly as a test of the app would.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { _electron, type ElectronApplication } from 'playwright'
import { findChromium } from '../src/chromium.ts'
import type { Report } from '../src/report.ts'

export const DIST = fileURLToPath(new URL('../dist', import.meta.url))
export const ELECTRON = join(DIST, 'electron')
export const FIXTURE_APP = fileURLToPath(new URL('./fixture-app', import.meta.url))
export const STRICT_APP = fileURLToPath(new URL('./strict-app', import.meta.url))

/** Fails a test file that needs windows where there can be none: a skipped test would look like a passed one. */
export function needChromium(): void {
  if (findChromium(process.env['STANDIN_CHROMIUM']) === undefined)
    throw new Error('These tests need Chromium and it is not installed. Run: node tools/run/provision.ts (or set STANDIN_CHROMIUM)')
}

export interface TestFolder extends Disposable {
  readonly path: string
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'standin-test-'))
  // Chromium may still be writing the last of its profile.
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly report: Report
}

/** Runs the stand-in to its end, with a user data folder of its own unless one is given. */
export async function runStandin(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  using folder = testFolder()
  const reportFile = join(folder.path, 'report.json')
  const userData = args.some((arg) => arg.startsWith('--user-data-dir=')) ? [] : [`--user-data-dir=${join(folder.path, 'data')}`]
  const child = spawn(ELECTRON, [...args, ...userData], {
    env: { ...process.env, STANDIN_HEADLESS: '1', STANDIN_REPORT: reportFile, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout, stderr, report: JSON.parse(readFileSync(reportFile, 'utf8')) as Report }
}

/** Playwright's stock launch; nothing here tells it that this is no Electron but Electron's own variable. */
export function launchFixture(userData: string, env: Record<string, string> = {}): Promise<ElectronApplication> {
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] = DIST
  const inherited = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  return _electron.launch({ args: [FIXTURE_APP, `--user-data-dir=${userData}`], env: { ...inherited, STANDIN_HEADLESS: '1', ...env } })
}
