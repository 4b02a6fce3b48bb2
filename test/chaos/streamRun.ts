// Cuts answers in their middle, in every way a network, a token or a process can fail, and then compares what the history
// holds, byte by byte, with what an uncut run gives to the same questions.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findDamaged, findDifferent, findDuplicated, findShownUnevenly, findUneven, type Faults, type Shown } from './kit/checks.ts'
import type { FromCore } from './kit/coreTalk.ts'
import { createDice, type Dice } from './kit/dice.ts'
import { readStores } from './kit/evidence.ts'
import { readJournal } from './kit/scriptedProvider.ts'
import { askUncut } from './kit/uncut.ts'
import { createWorld, type World } from './kit/world.ts'
import { wholeAnswer } from './kit/answers.ts'

export interface StreamRunOptions {
  readonly cycles: number
  readonly seed: number
  /** `broken-text`: the stored answers are changed before they are compared, to see the run fail. */
  readonly sabotage: 'none' | 'broken-text'
  readonly progress: (line: string) => void
  readonly folder?: string | undefined
}

export interface StreamReport {
  readonly ok: boolean
  readonly seed: number
  readonly cycles: number
  /** Answers that are byte-identical to the uncut ones. */
  readonly identical: number
  readonly different: number
  readonly duplicated: number
  /** Turns whose events have a gap or a repetition, in a store or as windows saw them. */
  readonly uneven: number
  readonly damaged: number
  readonly troubles: Readonly<Record<string, number>>
  /** How many of the troubles met an answer of which a part had been shown. */
  readonly inMidAnswer: number
  /** How often each carrier became the way to the service. */
  readonly carriers: Readonly<Record<string, number>>
  readonly tokensRefreshed: number
  /** UTF-16 code units of all answers. */
  readonly characters: number
  readonly settled: boolean
  readonly seconds: number
  readonly faults: Faults
  readonly folder?: string
}

const SESSIONS = 3
const SETTLE_LIMIT_MS = 30_000

const troubles = {
  'reset the connections': 16,
  'end the connections': 8,
  'tear a message': 14,
  'black hole, then mended': 6,
  'black hole until it is noticed': 4,
  'the token runs out': 10,
  'shut the gRPC door': 10,
  'shut gRPC and WebSockets': 10,
  'open every door': 12,
  'kill the core': 5,
  'kill the service': 4,
  'stop the service in order': 2,
  'look again': 5
} as const
type Trouble = keyof typeof troubles

async function make(trouble: Trouble, { proxies, both, ...world }: World, dice: Dice): Promise<void> {
  const cut = (how: 'reset' | 'end' | 'torn'): void => {
    for (const proxy of both) proxy.cut(how)
  }
  const shutGrpc = (): void => {
    proxies.grpc.refuse()
    proxies.grpc.cut('reset')
  }
  /** Lets through what was held back; a door that was shut stays shut. */
  const mend = (shut: boolean): void => {
    for (const proxy of both) proxy.mend()
    if (shut) proxies.grpc.refuse()
  }
  const wasShut = proxies.grpc.refuses()
  switch (trouble) {
    case 'reset the connections':
      return cut('reset')
    case 'end the connections':
      return cut('end')
    case 'tear a message':
      cut('torn')
      await pause(dice.between(5, 60))
      return mend(wasShut)
    case 'black hole, then mended':
    case 'black hole until it is noticed':
      for (const proxy of both) proxy.stall()
      await pause(trouble === 'black hole, then mended' ? dice.between(20, 200) : 900)
      return mend(wasShut)
    case 'the token runs out':
      world.tell({ kind: 'expire' })
      return cut(dice.pick({ reset: 1, end: 1 }))
    case 'shut the gRPC door':
      return shutGrpc()
    case 'shut gRPC and WebSockets':
      shutGrpc()
      return proxies.http.blockWebSockets(true)
    case 'open every door':
      proxies.http.blockWebSockets(false)
      mend(false)
      return world.tell({ kind: 'recheck' })
    case 'kill the core':
      await world.loseCore()
      return world.bringCore()
    case 'kill the service':
    case 'stop the service in order':
      await world.loseService(trouble === 'kill the service' ? 'kill' : 'terminate')
      await world.launchService().ready
      return world.tell({ kind: 'recheck' })
    case 'look again':
      return world.tell({ kind: 'recheck' })
  }
}

interface Heard {
  readonly shown: Shown[]
  readonly carriers: Record<string, number>
  refreshed: number
}

function listen(heard: Heard): (message: FromCore, life: number) => void {
  return (message, life) => {
    if (message.kind === 'shown') heard.shown.push({ life, turnId: message.turnId, from: message.from, to: message.to })
    if (message.kind === 'refreshed') heard.refreshed += 1
    if (message.kind === 'transport' && message.name !== null) heard.carriers[message.name] = (heard.carriers[message.name] ?? 0) + 1
  }
}

/** Resolves with whether the answer is over, once it is or a part of it was shown to the window. */
async function begun(world: World, heard: Heard, shownBefore: number): Promise<boolean> {
  for (let look = 0; look < 200; look += 1) {
    if (heard.shown.length > shownBefore) return false
    if (look % 10 === 9 && (await world.onTheirWay()).count === 0) return true
    await pause(2)
  }
  return false
}

export async function runStreamChaos(options: StreamRunOptions): Promise<StreamReport> {
  const { cycles, seed, progress } = options
  const start = performance.now()
  const heard: Heard = { shown: [], carriers: {}, refreshed: 0 }
  const world = await createWorld({ program: 'streamCore', folder: options.folder, onMessage: listen(heard) })
  const dice = createDice(seed)
  const made: Record<string, number> = {}
  const seconds = (): number => Math.round((performance.now() - start) / 100) / 10
  let inMidAnswer = 0
  let settled = true
  try {
    await Promise.all([world.launchService().ready, world.bringCore()])
    const sessions: string[] = []
    for (let n = 1; n <= SESSIONS; n += 1) sessions.push(await world.session(`Session ${n}`))
    for (let cycle = 1; cycle <= cycles && settled; cycle += 1) {
      const shownBefore = heard.shown.length
      world.asker.ask(sessions[dice.between(0, SESSIONS - 1)]!, `Cycle ${cycle} of seed ${seed} [${dice.between(200, 600)} pieces]`)
      await begun(world, heard, shownBefore)
      for (let left = dice.between(1, 4); left > 0; left -= 1) {
        await pause(dice.between(0, 60))
        const isOver = (await world.onTheirWay()).count === 0
        if (!isOver && heard.shown.length > shownBefore) inMidAnswer += 1
        const trouble = dice.pick(troubles)
        made[trouble] = (made[trouble] ?? 0) + 1
        await make(trouble, world, dice)
        if (isOver) break
      }
      settled = await world.arrive(SETTLE_LIMIT_MS, progress)
      if (cycle % 20 === 0) progress(`${cycle} of ${cycles} answers, ${inMidAnswer} troubles in mid-answer, ${seconds()} s`)
    }
    settled &&= await world.settle(SETTLE_LIMIT_MS, progress)
    await world.end()
    progress('asking the same questions without a cut')
    const judgement = await judge(world, { heard, sabotage: options.sabotage })
    const ok = settled && judgement.faults.length === 0 && judgement.identical === cycles
    if (ok && options.folder === undefined) await rm(world.folder, { recursive: true })
    return {
      ok,
      seed,
      cycles,
      ...judgement,
      troubles: made,
      inMidAnswer,
      carriers: heard.carriers,
      tokensRefreshed: heard.refreshed,
      settled,
      seconds: seconds(),
      ...(ok ? {} : { folder: world.folder })
    }
  } finally {
    await world.stop()
  }
}

type Judgement = Pick<StreamReport, 'identical' | 'different' | 'duplicated' | 'uneven' | 'damaged' | 'characters' | 'faults'>

async function judge(
  { folder, folders, asker, incidents }: World,
  { heard, sabotage }: { readonly heard: Heard; readonly sabotage: StreamRunOptions['sabotage'] }
): Promise<Judgement> {
  const asked = asker.accepted
  const stores = await readStores(folders)
  const answers = stores.history.answers.map((answer) => (sabotage === 'broken-text' ? { ...answer, text: answer.text.normalize('NFD') } : answer))
  const evidence = { asked, ...stores, history: { ...stores.history, answers }, journal: readJournal(folders.journal), answerTo: wholeAnswer }
  const uncut = await askUncut(
    asked.map(({ text }) => text),
    join(folder, 'uncut')
  )
  const different = findDifferent(evidence, uncut)
  const duplicated = findDuplicated(evidence)
  const uneven = [...findUneven(evidence), ...findShownUnevenly(heard.shown)]
  const damaged = [...findDamaged(evidence), ...incidents]
  return {
    identical: asked.length - different.length,
    different: different.length,
    duplicated: duplicated.length,
    uneven: uneven.length,
    damaged: damaged.length,
    characters: answers.reduce((sum, { text }) => sum + text.length, 0),
    faults: [...different, ...duplicated, ...uneven, ...damaged, ...asker.refused].slice(0, 20)
  }
}
