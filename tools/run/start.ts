// `npm start`: builds if need be, then runs the app on Electron or its stand-in. Arguments after `--` go to the app.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.ts'
import { electronSwitches, resolveElectron, ROOT, surroundings } from './electron.ts'
import { chromium, provision } from './provision.ts'
import { runLauncher } from './setupError.ts'

const NO_WINDOWS = '--no-windows'
const NO_DISPLAY = [
  'There is no display here, so Aside runs without windows.',
  'Ask it from another terminal: npm run --silent ask -- "your question"'
]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Runs a program on this terminal; signals reach it. Resolves with the exit code, 128 + n when a signal ended it. */
function runForeground(executable: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { stdio: 'inherit', cwd: ROOT, env })
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
    for (const signal of SIGNALS) process.on(signal, forward)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const one of SIGNALS) process.off(one, forward)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}

/** Resolves with the app's exit code. */
export async function start(argv: readonly string[]): Promise<number> {
  const { platform, uid, hasDisplay } = surroundings()
  const args = argv[0] === '--' ? argv.slice(1) : [...argv]
  const choice = await resolveElectron()
  if (choice.notice !== null) say(choice.notice)
  if (!hasDisplay && !args.includes(NO_WINDOWS)) {
    for (const line of NO_DISPLAY) say(line)
    args.push(NO_WINDOWS)
  }
  if (choice.kind === 'standin' && !args.includes(NO_WINDOWS)) await provision([chromium])
  await ensureBuilt()
  const { switches, notices } = electronSwitches(choice.kind, { platform, uid, hasDisplay })
  for (const notice of notices) say(notice)
  return runForeground(choice.executable, [...switches, ROOT, ...args], { ...process.env, ...choice.env, STANDIN_DESKTOP: '1' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runLauncher(() => start(process.argv.slice(2)))
