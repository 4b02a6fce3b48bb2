// What a person waits for, measured on the built app: `npm run --silent bench:start -- [runs]`. Prints one JSON line.
//   coldStartMs       from spawn to the session list on screen, fresh data folder
//   warmStartMs       the same with an existing history
//   hotkeyToTypeableMs  from the shortcut to a focused field, overlay made ready before (as it is 0.4 s after start)
//   enterToFirstTextMs  from the Enter key to the first painted text of a local answer, seen by the page itself
//   memoryMiB         PSS of every process of the app with both windows open and one answer shown
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, platform } from 'node:process'
import { launch, onStandin, type Running } from '../test/e2e/app.ts'

const runs = Number(argv[2] ?? 5)
const QUESTION = 'How do I choose between RDS Multi-AZ and read replicas?'
const median = (values: readonly number[]): number => Math.round(values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN)

/** Proportional set size of a process and all below it, in MiB. */
function treeMemoryMiB(root: number): number {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const stat = readOr(`/proc/${name}/stat`)
        return stat === '' ? [] : [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0])] as const]
      })
  )
  const within = (pid: number): boolean => pid === root || (parents.has(pid) && within(parents.get(pid)!))
  const kib = [...parents.keys()].filter(within).map((pid) => Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0))
  return Math.round(kib.reduce((sum, one) => sum + one, 0) / 1024)
}
/** Empty for a process that has gone in the meantime. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

async function start(dataDir: string): Promise<{ running: Running; ms: number }> {
  const began = performance.now()
  const running = await launch({ dataDir })
  await running.main.getByRole('navigation', { name: 'Sessions' }).waitFor()
  return { running, ms: performance.now() - began }
}

const cold: number[] = []
const warm: number[] = []
const typeable: number[] = []
const firstText: number[] = []
const memory: number[] = []
for (let run = 0; run < runs; run++) {
  const dataDir = mkdtempSync(join(tmpdir(), 'aside-bench-'))
  const first = await start(dataDir)
  cold.push(first.ms)
  await first.running.app.close()
  const { running, ms } = await start(dataDir)
  warm.push(ms)
  const overlay = await running.window('overlay')
  const field = overlay.getByRole('textbox', { name: 'Ask', exact: true })
  await field.waitFor()
  await overlay.evaluate(() => {
    const times: Record<string, number> = {}
    Object.assign(globalThis, { times })
    addEventListener('focusin', () => (times['focused'] = Date.now()))
    addEventListener('focus', () => (times['focused'] = Date.now()))
    addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Enter') times['entered'] = performance.now()
      },
      true
    )
    new MutationObserver(() => {
      if (times['painted'] !== undefined || times['entered'] === undefined) return
      if ((document.querySelector('.overlay-text')?.textContent ?? '') === '') return
      requestAnimationFrame(() => setTimeout(() => (times['painted'] ??= performance.now())))
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
  const pressed = Date.now()
  await running.hotkey()
  await overlay.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA' || document.activeElement?.tagName === 'INPUT')
  const focused = await overlay.evaluate(() => (globalThis as unknown as { times: Record<string, number> }).times['focused'])
  typeable.push((focused ?? Date.now()) - pressed)
  await field.fill(QUESTION)
  await field.press('Enter')
  await overlay.waitForFunction(() => (globalThis as unknown as { times: Record<string, number> }).times['painted'] !== undefined)
  const times = await overlay.evaluate(() => (globalThis as unknown as { times: Record<string, number> }).times)
  firstText.push(times['painted']! - times['entered']!)
  if (platform === 'linux') memory.push(treeMemoryMiB(running.app.process().pid ?? 0))
  await running.app.close()
  rmSync(dataDir, { recursive: true, force: true })
}
console.log(
  JSON.stringify({
    ok: true,
    on: onStandin ? 'stand-in' : 'electron',
    runs,
    coldStartMs: median(cold),
    warmStartMs: median(warm),
    hotkeyToTypeableMs: median(typeable),
    enterToFirstTextMs: median(firstText),
    memoryMiB: memory.length === 0 ? null : median(memory)
  })
)
