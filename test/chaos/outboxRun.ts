// Kills and cuts what carries a question, a thousand times and more, and then reads from the stores whether one was lost,
// doubled, or passed by another. The whole of it is repeatable by its seed but for what the machine's own timing decides.
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { wholeAnswer } from './kit/answers.ts'
import { countAskedAgain, findDamaged, findDuplicated, findLost, findOutOfOrder, findUneven, type Faults } from './kit/checks.ts'
import type { Sabotage } from './kit/coreTalk.ts'
import { createDice, type Dice } from './kit/dice.ts'
import { readStores } from './kit/evidence.ts'
import { readJournal } from './kit/scriptedProvider.ts'
import { createWorld, type World } from './kit/world.ts'

export interface OutboxRunOptions {
  readonly cycles: number
  readonly seed: number
  readonly sabotage: Sabotage
  readonly progress: (line: string) => void
  /** Where everything is kept, and left when something was wrong; made where it is missing. */
  readonly folder?: string | undefined
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
  readonly folder?: string | undefined
}

const SESSIONS = 6
/** With everything mended, so long without one more that arrived means that the rest never will. */
const SETTLE_LIMIT_MS = 60_000

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
  readonly world: World
}

async function make(trouble: Trouble, { dice, world }: Run): Promise<void> {
  const outage = (): Promise<void> => pause(dice.between(0, 150))
  const mend = (): void => {
    for (const proxy of world.both) proxy.mend()
  }
  switch (trouble) {
    case 'kill the core':
      await world.loseCore()
      return world.bringCore()
    case 'kill the core while it starts':
      await world.loseCore()
      world.launchCore()
      await pause(dice.between(30, 350))
      await world.loseCore()
      return world.bringCore()
    case 'kill the service':
    case 'stop the service in order':
      await world.loseService(trouble === 'kill the service' ? 'kill' : 'terminate')
      world.launchService()
      return undefined
    case 'kill both':
      await Promise.all([world.loseService('kill'), world.loseCore()])
      world.launchService()
      return world.bringCore()
    case 'reset the connections':
    case 'end the connections':
      for (const proxy of world.both) proxy.cut(trouble === 'reset the connections' ? 'reset' : 'end')
      return undefined
    case 'tear a message':
      for (const proxy of world.both) proxy.cut('torn')
      await outage()
      return mend()
    case 'refuse connections':
      for (const proxy of world.both) {
        proxy.refuse()
        proxy.cut('reset')
      }
      await outage()
      return mend()
    case 'black hole, then mended':
    case 'black hole, then reset':
      for (const proxy of world.both) proxy.stall()
      await outage()
      if (trouble === 'black hole, then reset') for (const proxy of world.both) proxy.cut('reset')
      return mend()
  }
}

export async function runOutboxChaos(options: OutboxRunOptions): Promise<OutboxReport> {
  const { cycles, seed, progress } = options
  const began = performance.now()
  const world = await createWorld({ program: 'core', sabotage: options.sabotage, folder: options.folder })
  const dice = createDice(seed)
  const made: Record<string, number> = {}
  try {
    await Promise.all([world.launchService().ready, world.bringCore()])
    const sessions: string[] = []
    for (let n = 1; n <= SESSIONS; n += 1) sessions.push(await world.session(`Session ${n}`))
    let asked = 0
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      for (let left = dice.between(1, 3); left > 0; left -= 1) {
        asked += 1
        world.asker.ask(sessions[dice.between(0, SESSIONS - 1)]!, `Question ${asked} of seed ${seed} [${dice.between(4, 60)} pieces]`)
      }
      await pause(dice.between(0, 120))
      const trouble = dice.pick(troubles)
      made[trouble] = (made[trouble] ?? 0) + 1
      await make(trouble, { dice, world })
      if (cycle % 25 === 0) progress(`${cycle} of ${cycles} cycles, ${world.asker.accepted.length} of ${asked} accepted, ${seconds(began)} s`)
    }
    const settleBegan = performance.now()
    const settled = await world.settle(SETTLE_LIMIT_MS, progress)
    const settleSeconds = seconds(settleBegan)
    await world.end()
    const report = await judge(world, settled)
    if (report.ok && options.folder === undefined) await rm(world.folder, { recursive: true })
    const where = report.ok ? {} : { folder: world.folder }
    return { ...report, seed, cycles, troubles: made, settleSeconds, seconds: seconds(began), ...where }
  } finally {
    await world.stop()
  }
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10

type Judgement = Omit<OutboxReport, 'seed' | 'cycles' | 'troubles' | 'seconds' | 'settleSeconds' | 'folder'>

async function judge({ folders, asker, incidents }: World, settled: boolean): Promise<Judgement> {
  const journal = readJournal(folders.journal)
  const evidence = { asked: asker.accepted, ...(await readStores(folders)), journal, answerTo: wholeAnswer }
  const found = {
    lost: [...findLost(evidence), ...findUneven(evidence)],
    duplicated: findDuplicated(evidence),
    outOfOrder: findOutOfOrder(evidence),
    damaged: [...findDamaged(evidence), ...incidents]
  }
  const faults = [...Object.values(found).flat(), ...asker.refused]
  return {
    ok: settled && faults.length === 0 && asker.accepted.length > 0,
    accepted: asker.accepted.length,
    lost: found.lost.length,
    duplicated: found.duplicated.length,
    outOfOrder: found.outOfOrder.length,
    damaged: found.damaged.length,
    askedAgain: countAskedAgain(journal),
    settled,
    faults: faults.slice(0, 20)
  }
}
