// The two commands themselves, on a small count: they end well where nothing is wrong, and badly where something is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Outcome {
  readonly code: number
  readonly report: Record<string, unknown> & { readonly folder?: string }
}

async function run(command: 'outbox' | 'stream', ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${command}.ts`, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  const line = out.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) throw new Error(`no report from ${command}: ${err}`)
  const report = JSON.parse(line) as Outcome['report']
  if (code !== 0 && args.includes('--sabotage') && report.folder?.startsWith(tmpdir())) await rm(report.folder, { recursive: true })
  return { code: code ?? -1, report }
}

describe.concurrent('chaos:outbox', { timeout: 180_000 }, () => {
  it('loses, doubles and reorders nothing, and names its seed', async () => {
    const { code, report } = await run('outbox', '--cycles', '12', '--seed', '20')
    expect(report).toMatchObject({ faults: [], ok: true, seed: 20, cycles: 12, lost: 0, duplicated: 0, outOfOrder: 0, damaged: 0, settled: true })
    expect(report['accepted']).toBeGreaterThanOrEqual(12)
    expect(Object.values(report['troubles'] as Record<string, number>).reduce((sum, count) => sum + count, 0)).toBe(12)
    expect(code).toBe(0)
  })
  it('fails a core that says “accepted” before it is true', async () => {
    // With this seed the core is killed five times within the twelve cycles.
    const { code, report } = await run('outbox', '--cycles', '12', '--seed', '4', '--sabotage', 'early-accept')
    expect(report).toMatchObject({ ok: false })
    expect(report['lost']).toBeGreaterThan(0)
    expect(code).toBe(1)
  })
  it('fails a core that sends a question twice', async () => {
    const { code, report } = await run('outbox', '--cycles', '2', '--seed', '4', '--sabotage', 'twice')
    expect(report).toMatchObject({ ok: false, lost: 0 })
    expect(report['duplicated']).toBeGreaterThan(0)
    expect(code).toBe(1)
  })
})

it.concurrent.each([
  ['outbox', '--cycles', 'many'],
  ['stream', '--cycles', '0'],
  ['outbox', '--seed', '1.5'],
  ['stream', '--sabotage', 'everything'],
  ['outbox', '--fast', 'x']
] as const)('chaos:%s refuses %s %s in one sentence, and starts nothing', async (command, flag, value) => {
  await expect(run(command, flag, value)).rejects.toThrow(/^no report from (outbox|stream): [^\n]+\n$/)
})

describe.concurrent('chaos:stream', { timeout: 180_000 }, () => {
  it('finds every answer identical to the uncut one', async () => {
    const { code, report } = await run('stream', '--cycles', '8', '--seed', '21')
    expect(report).toMatchObject({ faults: [], ok: true, seed: 21, cycles: 8, identical: 8, different: 0, uneven: 0, settled: true })
    expect(report['inMidAnswer']).toBeGreaterThan(0)
    expect(code).toBe(0)
  })
  it('fails where a stored answer differs in its bytes only', async () => {
    const { code, report } = await run('stream', '--cycles', '2', '--seed', '21', '--sabotage', 'broken-text')
    expect(report).toMatchObject({ ok: false, different: 2 })
    expect(code).toBe(1)
  })
})
