// `npm run check` and `npm test`: every step in order, each with its time, and one closing line that counts.
// A step that is no test suite counts as one test. Nothing is retried.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, execPath } from 'node:process'

interface Count {
  readonly passed: number
  readonly failed: number
}
interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** Reads the counts of a suite from its report file. */
  readonly count?: (report: string) => Count
}

const reports = mkdtempSync(join(tmpdir(), 'aside-reports-'))
const bin = (name: string, ...args: string[]): string[] => [join('node_modules', '.bin', name), ...args]
const node = (...args: string[]): string[] => [execPath, ...args]

const vitest = (name: string, ...projects: string[]): Step => ({
  name,
  command: bin('vitest', 'run', ...projects, '--reporter=dot', '--reporter=json', `--outputFile.json=${join(reports, name)}.json`),
  count: (report) => {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(report) as Record<string, number>
    return { passed: numPassedTests ?? 0, failed: Math.max(numFailedTests ?? 0, numFailedTestSuites ?? 0) }
  }
})

const check: readonly Step[] = [
  { name: 'lock file', command: node('tools/check/lockfile.ts') },
  { name: 'generated code', command: node('tools/check/generated.ts') },
  ...['shared', 'node', 'preload', 'web', 'e2e'].map((part) => ({ name: `types: ${part}`, command: bin('tsc', '-p', `tsconfig.${part}.json`) })),
  { name: 'lint', command: bin('oxlint', '--deny-warnings') },
  { name: 'format', command: bin('prettier', '--check', '--log-level=warn', '.') },
  { name: 'folder rules', command: node('tools/check/boundaries.ts') },
  { name: 'dead code', command: bin('knip', '--no-progress') },
  { name: 'knowledge pack', command: node('tools/knowledge/check.ts') },
  vitest('unit', '--project=unit')
]
const test: readonly Step[] = [
  { name: 'set-up', command: node('tools/run/provision.ts', '--tests') },
  ...check,
  vitest('contract', '--project=contract'),
  { name: 'build', command: bin('electron-vite', 'build', '--logLevel=warn') },
  {
    name: 'end to end',
    command: bin('playwright', 'test', '--reporter=list,json'),
    count: (report) => {
      const { stats } = JSON.parse(report) as { stats: { expected: number; unexpected: number; flaky: number } }
      return { passed: stats.expected, failed: stats.unexpected + stats.flaky }
    }
  }
]

async function run(step: Step): Promise<Count> {
  const started = performance.now()
  console.log(`\n── ${step.name}`)
  const [command = '', ...args] = step.command
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: join(reports, `${step.name}.json`) },
      shell: process.platform === 'win32'
    })
    child.on('error', reject)
    child.on('exit', (status) => resolve(status ?? 1))
  })
  const counted = step.count === undefined ? null : countOf(step.count, join(reports, `${step.name}.json`))
  const count = counted ?? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
  // A suite that fails without a failed test (it could not start, or ran nothing) is a failure all the same.
  const honest = (code !== 0 || count.passed === 0) && count.failed === 0 ? { ...count, failed: 1 } : count
  console.log(`── ${step.name}: ${honest.failed === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return honest
}

function countOf(count: (report: string) => Count, file: string): Count | null {
  try {
    return count(readFileSync(file, 'utf8'))
  } catch (error) {
    console.error(`No report: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

let passed = 0
let failed = 0
const failures: string[] = []
for (const step of argv[2] === 'test' ? test : check) {
  const count = await run(step)
  passed += count.passed
  failed += count.failed
  if (count.failed > 0) failures.push(step.name)
}
rmSync(reports, { recursive: true })
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
