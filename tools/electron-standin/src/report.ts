// Tells what real Electron would have done differently: at the end of the process, in the file that STANDIN_REPORT names.
// The way to read violations of a run without windows, which no test driver can look into.
import { writeFileSync } from 'node:fs'
import { config } from './config.ts'
import { hooks } from './hooks.ts'

export interface Report {
  readonly pid: number
  readonly exitCode: number
  readonly violations: readonly string[]
  readonly dropped: Readonly<Record<string, number>>
  /** Whether Chromium was ever launched. */
  readonly chromium: boolean
}

/** `usedChromium` is asked at the end. */
export function reportAtExit(usedChromium: () => boolean): void {
  const file = config.report?.replaceAll('%p', String(process.pid))
  if (file === undefined) return
  process.on('exit', (exitCode) => {
    const report: Report = { pid: process.pid, exitCode, violations: hooks.violations, dropped: hooks.dropped, chromium: usedChromium() }
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  })
}
