// Kills and cuts what carries a question, a thousand times and more, and then reads from the stores whether one was lost,
// doubled, or passed by another. The whole of it is repeatable by its seed but for what the machine's own timing decides.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { wholeAnswer } from './kit/answers.ts'
import { createAsker } from './kit/asker.ts'
import { countAskedAgain, findDamaged, findDuplicated, findLost, findOutOfOrder, type Faults } from './kit/checks.ts'
import type { Sabotage } from './kit/core.victim.ts'
import { createDice, type Dice } from './kit/dice.ts'
import { readStores } from './kit/evidence.ts'
import { startCore, startService, type ChaosFolders, type CoreVictim, type ServiceVictim } from './kit/processes.ts'
import { createProxy, type Proxy } from './kit/proxy.ts'
import { readJournal } from './kit/scriptedProvider.ts'

export interface OutboxRunOptions {
  readonly cycles: number
  readonly seed: number
  readonly sabotage: Sabotage
  readonly progress: (line: string) => void
  /** Where everything is kept, and left when something was wrong; made where it is missing. */
  readonly folder?: string
}

export interface OutboxReport {
  readonly ok: boolean
  readonly seed: number
  readonly cycles: number
  /** How often each kind of trouble was made. */
  readonly troubles: Readonly<Record<string, number>>
  readonly accepted: number
  readonly lost: number
  readonly duplicated: number
  readonly outOfOrder: number
  readonly damaged: number
  /** Questions that a later life of the service put to the model again, because an earlier one was killed over them. */
  readonly askedAgain: number
  readonly settled: boolean
  readonly seconds: number
  readonly settleSeconds: number
  /** The first faults, in words. */
  readonly faults: Faults
  /** Set when something was wrong: where to look. */
  readonly folder?: string
}

const SESSIONS = 6
const SETTLE_LIMIT_MS = 90_000

const troubles = {
  'kill the core': 30,
  'kill the service': 12,
  'kill both': 6,
  'stop the service in order': 3,
  'kill the core while it starts': 4,
  'reset the connections': 12,
  'end the connections': 4,
  'tear a message': 10,
  'refuse connections': 8,
  'black hole, then mended': 8,
  'black hole, then reset': 3
} as const
type Trouble = keyof typeof troubles

interface Run {
  readonly dice: Dice
  readonly folders: ChaosFolders
  readonly proxies: { readonly grpc: Proxy; readonly http: Proxy }
  readonly sabotage: Sabotage
  readonly asker: ReturnType<typeof createAsker>
  readonly incidents: string[]
  core: CoreVictim | null
  service: ServiceVictim | null
}

const bothProxies = ({ proxies }: Run): readonly Proxy[] => [proxies.grpc, proxies.http]

/** Starts it; the network leads to it once it is ready, if it lives that long. */
function launchService(run: Run): ServiceVictim {
  const service = startService(run.folders)
  run.service = service
  service.ready.then(
    (doors) => {
      if (run.service !== service) return
      run.proxies.grpc.lead(doors.grpc)
      run.proxies.http.lead(doors.http)
    },
    (error: unknown) => {
      // Killed while it started, or in need of a look.
      if (run.service === service) run.incidents.push(String(error))
    }
  )
  return service
}

async function loseService(run: Run, how: 'kill' | 'terminate'): Promise<void> {
  const { service } = run
  run.service = null
  await service?.[how]()
  for (const proxy of bothProxies(run)) proxy.lead(null)
}

function launchCore(run: Run): CoreVictim {
  const core = startCore(run.folders, { grpc: run.proxies.grpc.address, http: run.proxies.http.address }, run.sabotage)
  core.onMessage((message) => run.asker.hear(message))
  run.core = core
  return core
}

async function bringCore(run: Run): Promise<void> {
  const core = launchCore(run)
  const incident = await core.ready
  if (incident !== null) run.incidents.push(incident)
  run.asker.meet((message) => core.say(message))
}

async function loseCore(run: Run): Promise<void> {
  run.asker.lose()
  await run.core?.kill()
  run.core = null
}

async function make(trouble: Trouble, run: Run): Promise<void> {
  const { dice } = run
  const outage = (): Promise<void> => pause(dice.between(0, 150))
  switch (trouble) {
    case 'kill the core':
      await loseCore(run)
      return bringCore(run)
    case 'kill the core while it starts': {
      await loseCore(run)
      launchCore(run)
      await pause(dice.between(30, 350))
      await loseCore(run)
      return bringCore(run)
    }
    case 'kill the service':
      await loseService(run, 'kill')
      launchService(run)
      return undefined
    case 'stop the service in order':
      await loseService(run, 'terminate')
      launchService(run)
      return undefined
    case 'kill both':
      await Promise.all([loseService(run, 'kill'), loseCore(run)])
      launchService(run)
      return bringCore(run)
    case 'reset the connections':
    case 'end the connections':
      for (const proxy of bothProxies(run)) proxy.cut(trouble === 'reset the connections' ? 'reset' : 'end')
      return undefined
    case 'tear a message':
      for (const proxy of bothProxies(run)) proxy.cut('torn')
      await outage()
      for (const proxy of bothProxies(run)) proxy.mend()
      return undefined
    case 'refuse connections':
      for (const proxy of bothProxies(run)) {
        proxy.refuse()
        proxy.cut('reset')
      }
      await outage()
      for (const proxy of bothProxies(run)) proxy.mend()
      return undefined
    case 'black hole, then mended':
    case 'black hole, then reset':
      for (const proxy of bothProxies(run)) proxy.stall()
      await outage()
      if (trouble === 'black hole, then reset') for (const proxy of bothProxies(run)) proxy.cut('reset')
      for (const proxy of bothProxies(run)) proxy.mend()
      return undefined
  }
}

/** Everything is up again; resolves true when nothing is on its way any more, false when that takes too long. */
async function settle(run: Run, progress: (line: string) => void): Promise<boolean> {
  const limit = Date.now() + SETTLE_LIMIT_MS
  for (const proxy of bothProxies(run)) proxy.mend()
  run.core?.say({ kind: 'recheck' })
  await Promise.race([run.asker.allAccepted(), pause(SETTLE_LIMIT_MS, undefined, { ref: false })])
  while (Date.now() < limit) {
    const state = await run.core?.answerTo({ kind: 'open' }, 'open')
    if (run.asker.open === 0 && state?.open === 0) return true
    progress(`settling: ${run.asker.open} not accepted, ${state?.open} on their way, ${state?.failed} failed, link ${state?.link}`)
    await pause(500)
  }
  return false
}

async function stopAll(run: Run): Promise<void> {
  await run.core?.answerTo({ kind: 'stop' }, 'stopped')
  await run.core?.gone
  await loseService(run, 'terminate')
}

async function createRun(options: OutboxRunOptions): Promise<{ run: Run; folder: string }> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'aside-chaos-')))
  const folders = {
    desktop: join(folder, 'desktop'),
    service: join(folder, 'service'),
    journal: join(folder, 'journal.jsonl'),
    codeCache: join(tmpdir(), 'aside-chaos-code')
  }
  await mkdir(folder, { recursive: true })
  const run: Run = {
    dice: createDice(options.seed),
    folders,
    proxies: { grpc: await createProxy(), http: await createProxy() },
    sabotage: options.sabotage,
    asker: createAsker(),
    incidents: [],
    core: null,
    service: null
  }
  return { run, folder }
}

export async function runOutboxChaos(options: OutboxRunOptions): Promise<OutboxReport> {
  const { cycles, seed, progress } = options
  const began = performance.now()
  const { run, folder } = await createRun(options)
  const made: Record<string, number> = {}
  try {
    await Promise.all([launchService(run).ready, bringCore(run)])
    const sessions: string[] = []
    for (let n = 1; n <= SESSIONS; n += 1) {
      sessions.push((await run.core!.answerTo({ kind: 'session', title: `Session ${n}` }, 'session')).id)
    }
    let asked = 0
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      for (let left = run.dice.between(1, 3); left > 0; left -= 1) {
        asked += 1
        run.asker.ask(sessions[run.dice.between(0, SESSIONS - 1)]!, `Question ${asked} of seed ${seed} [${run.dice.between(4, 60)} pieces]`)
      }
      await pause(run.dice.between(0, 120))
      const trouble = run.dice.pick(troubles)
      made[trouble] = (made[trouble] ?? 0) + 1
      await make(trouble, run)
      if (cycle % 25 === 0)
        progress(
          `${cycle} of ${cycles} cycles, ${run.asker.accepted.length} of ${asked} accepted, ${Math.round((performance.now() - began) / 1000)} s`
        )
    }
    const settleBegan = performance.now()
    const settled = await settle(run, progress)
    const settleSeconds = seconds(settleBegan)
    await stopAll(run)
    const report = await judge(run, { settled, settleSeconds, began })
    const whole: OutboxReport = { ...report, seed, cycles, troubles: made, ...(report.ok ? {} : { folder }) }
    if (report.ok && options.folder === undefined) await rm(folder, { recursive: true })
    return whole
  } finally {
    await Promise.all([run.core?.kill(), run.service?.kill()])
    await Promise.all(bothProxies(run).map((proxy) => proxy.stop()))
  }
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10

async function judge(
  run: Run,
  { settled, settleSeconds, began }: { readonly settled: boolean; readonly settleSeconds: number; readonly began: number }
): Promise<Omit<OutboxReport, 'seed' | 'cycles' | 'troubles' | 'folder'>> {
  const journal = readJournal(run.folders.journal)
  const evidence = { asked: run.asker.accepted, ...(await readStores(run.folders)), journal, answerTo: wholeAnswer }
  const found = {
    lost: findLost(evidence),
    duplicated: findDuplicated(evidence),
    outOfOrder: findOutOfOrder(evidence),
    damaged: [...findDamaged(evidence), ...run.incidents]
  }
  const faults = [...Object.values(found).flat(), ...run.asker.refused]
  return {
    ok: settled && faults.length === 0 && run.asker.accepted.length > 0,
    accepted: run.asker.accepted.length,
    lost: found.lost.length,
    duplicated: found.duplicated.length,
    outOfOrder: found.outOfOrder.length,
    damaged: found.damaged.length,
    askedAgain: countAskedAgain(journal),
    settled,
    seconds: seconds(began),
    settleSeconds,
    faults: faults.slice(0, 20)
  }
}
