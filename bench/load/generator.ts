// The clients of npm run load, a process of its own: opens the connections, asks at the given rate whatever comes back, and checks
// every answer. Open loop: a question that could not be sent in time is measured from when it was due.
import { v7 as uuidv7 } from 'uuid'
import { piecesOf, questionOf } from './answers.ts'
import { gather, type ConnectOrder, type Crowd } from './crowd.ts'
import { createTally, type Counts, type Tally } from './tally.ts'
import { percentiles, type Percentiles } from './times.ts'

export interface AskOrder {
  /** Questions a second, of all connections together. */
  readonly rate: number
  readonly seconds: number
  /** Before that the rate rises from nothing; those answers are checked, not measured. */
  readonly warmUpSeconds: number
  /** Of an answer. */
  readonly pieces: number
  /** After the last question, for the answers that are still under way. */
  readonly settleMs: number
  /** So many of the questions are asked once more afterwards, under their turn ids, over other connections (to other processes). */
  readonly again: number
}

export interface Asked extends Omit<Counts, 'open' | 'lastEnd'> {
  readonly sent: number
  /** Never ended. */
  readonly lost: number
  /** Of those asked again: how many were given the same answer once more. */
  readonly again: { readonly asked: number; readonly same: number }
  /** Answers a second, from when the first measured one was due to the last one's end. */
  readonly reachedPerSecond: number
  readonly cpuMicros: number
  readonly seconds: number
}

export type GeneratorOrder =
  | { readonly type: 'connect'; readonly order: ConnectOrder }
  | { readonly type: 'ask'; readonly order: AskOrder }
  | { readonly type: 'leave' | 'stop' }
export type GeneratorAnswer =
  | { readonly type: 'ready' | 'left' }
  | { readonly type: 'connected'; readonly tookMs: number; readonly handshakeMs: Percentiles }
  /** The warm-up is over. */
  | { readonly type: 'measuring' }
  | { readonly type: 'asked'; readonly asked: Asked }
  | { readonly type: 'failed'; readonly message: string }

function warmUpCount({ rate, warmUpSeconds }: AskOrder): number {
  return Math.floor((rate * warmUpSeconds) / 2)
}

/** When question `index` is due, in ms: the rate rises in a straight line, then holds. */
function dueMs(index: number, order: AskOrder): number {
  const { rate, warmUpSeconds } = order
  const warmUp = warmUpCount(order)
  if (index < warmUp) return Math.sqrt((2 * index * warmUpSeconds) / rate) * 1_000
  return (warmUpSeconds + (index - warmUp) / rate) * 1_000
}

interface Run {
  readonly crowd: Crowd
  readonly order: AskOrder
  /** No question is asked in two runs. */
  readonly firstNumber: number
}

/** The question at that place in the run, over that connection. */
function question({ crowd, order, firstNumber }: Run, index: number, { turnId, place }: { turnId: string; place: number }): string {
  const number = firstNumber + index
  crowd.connection(place).ask({ message: questionOf(number), session_id: `load-${index % crowd.size}`, turn_id: turnId })
  return piecesOf(number, order.pieces).join('')
}

async function ask(run: Run, onMeasuring: () => void): Promise<Asked> {
  const { crowd, order } = run
  const warmUp = warmUpCount(order)
  const total = warmUp + Math.round(order.rate * order.seconds)
  const measuredFrom = dueMs(warmUp, order)
  const started = performance.now()
  const now = (): number => performance.now() - started
  const tally = createTally({ now, measuredFrom })
  crowd.hear(tally)
  const turnIds: string[] = []
  let cpuBefore = process.cpuUsage()
  for (let index = 0; index < total;) {
    for (const elapsed = now(); index < total && dueMs(index, order) <= elapsed; index += 1) {
      if (index === warmUp) {
        cpuBefore = process.cpuUsage()
        onMeasuring()
      }
      const turnId = uuidv7()
      turnIds.push(turnId)
      const expected = question(run, index, { turnId, place: index % crowd.size })
      tally.expect({ turnId, dueAt: dueMs(index, order), expected })
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const cpu = process.cpuUsage(cpuBefore)
  const seconds = (now() - measuredFrom) / 1_000
  await tally.settled(order.settleMs)
  const { open: lost, lastEnd, ...counts } = tally.counts()
  const again = await askAgain(run, turnIds.slice(0, order.again))
  crowd.hear(null)
  const { examples, ...more } = again.counts()
  const span = (lastEnd - measuredFrom) / 1_000
  return {
    ...counts,
    sent: total,
    lost,
    errors: counts.errors + more.errors,
    connectionsLost: counts.connectionsLost + more.connectionsLost,
    again: { asked: Math.min(total, order.again), same: more.answered },
    reachedPerSecond: span <= 0 ? 0 : Math.round((counts.measured / span) * 10) / 10,
    cpuMicros: cpu.user + cpu.system,
    seconds,
    examples: [...counts.examples, ...examples.map((example) => `asked again: ${example}`)]
  }
}

/** The same turn ids: they must be answered from what is kept, by whichever process. */
async function askAgain(run: Run, turnIds: readonly string[]): Promise<Tally> {
  const tally = createTally({ now: () => 0, measuredFrom: Number.POSITIVE_INFINITY })
  run.crowd.hear(tally)
  for (const [index, turnId] of turnIds.entries()) {
    const expected = question(run, index, { turnId, place: run.crowd.siblingOf(index % run.crowd.size) })
    tally.expect({ turnId, dueAt: 0, expected })
  }
  await tally.settled(run.order.settleMs)
  return tally
}

const say = (answer: GeneratorAnswer): void => void process.send?.(answer)
let crowd: Crowd | null = null
let asked = 0

async function obey(message: GeneratorOrder): Promise<void> {
  if (message.type === 'connect') {
    crowd = await gather(message.order)
    say({ type: 'connected', tookMs: crowd.tookMs, handshakeMs: percentiles(crowd.handshakes) })
  } else if (message.type === 'ask') {
    if (crowd === null) throw new Error('nobody is connected')
    const result = await ask({ crowd, order: message.order, firstNumber: asked }, () => say({ type: 'measuring' }))
    asked += result.sent
    say({ type: 'asked', asked: result })
  } else {
    crowd?.end()
    crowd = null
    if (message.type === 'leave') say({ type: 'left' })
    else process.disconnect()
  }
}

process.on('message', (message: GeneratorOrder) => {
  obey(message).catch((error: unknown) => say({ type: 'failed', message: String(error) }))
})
process.on('disconnect', () => process.exit(0))
say({ type: 'ready' })
