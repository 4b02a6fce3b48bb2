// The clients of npm run load, a process of its own: opens the connections, asks at the given rate whatever comes back, and checks
// every answer. Open loop: a question that could not be sent in time is measured from when it was due.
import { build, type Histogram } from 'hdr-histogram-js'
import { v7 as uuidv7 } from 'uuid'
import { piecesOf, questionOf } from './answers.ts'
import { connectRaw, type ConnectionOptions, type Listener, type LoadConnection } from './connection.ts'
import { connectLibrary } from './libraryConnection.ts'
import { createTurnCheck, type TurnCheck } from './turnCheck.ts'

export interface ConnectOrder {
  /** Of the service's processes; connections take turns. */
  readonly ports: readonly number[]
  /** One for each user; connections take turns. */
  readonly tokens: readonly string[]
  readonly connections: number
  /** So many of them are socket.io-client. */
  readonly library: number
}

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
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface Asked {
  readonly sent: number
  readonly answered: number
  /** Refused, failed, or not what they should be. */
  readonly errors: number
  /** Never ended. */
  readonly lost: number
  readonly connectionsLost: number
  /** Of those that are measured. */
  readonly measured: number
  /** Answers a second, from when the first measured one was due to the last one's end. */
  readonly reachedPerSecond: number
  /** Events of text in an answer: the service may join what waits. */
  readonly pieces: { readonly mean: number; readonly fewest: number }
  readonly acceptedMs: Percentiles
  readonly firstPieceMs: Percentiles
  readonly endMs: Percentiles
  /** How late questions were sent: the generator's own slowness, which is in all the other figures. */
  readonly sentLateMs: Percentiles
  readonly cpuMicros: number
  readonly seconds: number
  readonly examples: readonly string[]
}

export type GeneratorOrder =
  | { readonly type: 'connect'; readonly order: ConnectOrder }
  | { readonly type: 'ask'; readonly order: AskOrder }
  | { readonly type: 'leave' | 'stop' }
export type GeneratorAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'connected'; readonly tookMs: number; readonly handshakeMs: Percentiles }
  /** The warm-up is over. */
  | { readonly type: 'measuring' }
  | { readonly type: 'asked'; readonly asked: Asked }
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly message: string }

/** Handshakes at once. */
const CONNECTING = 32
const MOST_EXAMPLES = 10

const histogram = (): Histogram => build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 })

/** In ms, of values in µs. */
function percentiles(values: Histogram): Percentiles {
  const ms = (micros: number): number => Math.round(micros / 10) / 100
  return { p50: ms(values.getValueAtPercentile(50)), p99: ms(values.getValueAtPercentile(99)), max: ms(values.maxValue) }
}

interface Crowd {
  readonly connections: readonly LoadConnection[]
  readonly listeners: readonly Relay[]
  readonly tookMs: number
  readonly handshakeMs: Percentiles
}

/** What a connection hears goes to whoever asks now. */
interface Relay extends Listener {
  target: Listener | null
  lostBecause: string | null
}

function createRelay(): Relay {
  const relay: Relay = {
    target: null,
    lostBecause: null,
    acknowledged: (turnId, ack) => relay.target?.acknowledged(turnId, ack),
    piece: (piece) => relay.target?.piece(piece),
    told: (error) => relay.target?.told(error),
    lost: (reason) => {
      relay.lostBecause = reason
      relay.target?.lost(reason)
    }
  }
  return relay
}

async function gather({ ports, tokens, connections: count, library }: ConnectOrder): Promise<Crowd> {
  const connections: LoadConnection[] = []
  const listeners = Array.from({ length: count }, createRelay)
  const took = histogram()
  const started = performance.now()
  // Spread over all of them.
  const every = library === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(count / library))
  let next = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next
      next += 1
      const listener = listeners[index]
      if (listener === undefined) return
      const options: ConnectionOptions = { port: ports[index % ports.length] ?? 0, token: tokens[index % tokens.length] ?? '', listener }
      const begun = performance.now()
      const isLibrary = index % every === 0 && index / every < library
      connections[index] = await (isLibrary ? connectLibrary(options) : connectRaw(options))
      took.recordValue(Math.max(1, Math.round((performance.now() - begun) * 1_000)))
    }
  }
  await Promise.all(Array.from({ length: CONNECTING }, worker))
  return { connections, listeners, tookMs: Math.round(performance.now() - started), handshakeMs: percentiles(took) }
}

/** When question `index` is due, in ms: the rate rises in a straight line, then holds. */
function dueMs(index: number, { rate, warmUpSeconds }: AskOrder): number {
  const warmUp = warmUpCount({ rate, warmUpSeconds })
  if (index < warmUp) return Math.sqrt((2 * index * warmUpSeconds) / rate) * 1_000
  return (warmUpSeconds + (index - warmUp) / rate) * 1_000
}

function warmUpCount({ rate, warmUpSeconds }: Pick<AskOrder, 'rate' | 'warmUpSeconds'>): number {
  return Math.floor((rate * warmUpSeconds) / 2)
}

/** `firstNumber`: no question is asked twice, also not in a second run. */
async function ask(crowd: Crowd, order: AskOrder, { firstNumber, onMeasuring }: { firstNumber: number; onMeasuring: () => void }): Promise<Asked> {
  const { connections, listeners } = crowd
  const warmUp = warmUpCount(order)
  const total = warmUp + Math.round(order.rate * order.seconds)
  const checks = new Map<string, TurnCheck>()
  const [accepted, firstPiece, end, sentLate] = [histogram(), histogram(), histogram(), histogram()]
  const examples: string[] = []
  const measuredFrom = dueMs(warmUp, order)
  let [sent, answered, errors, open, connectionsLost, measured] = [0, 0, 0, 0, 0, 0]
  let [lastEnd, pieces, fewestPieces] = [0, 0, Number.POSITIVE_INFINITY]
  const settled = Promise.withResolvers<void>()
  const started = performance.now()
  const record = (into: Histogram, { dueAt }: TurnCheck, now: number): void => {
    if (dueAt >= measuredFrom) into.recordValue(Math.max(1, Math.round((now - dueAt) * 1_000)))
  }
  const note = (turnId: string | undefined, problem: string | null): void => {
    if (problem === null) return
    errors += 1
    if (examples.length < MOST_EXAMPLES) examples.push(`${turnId ?? 'nobody'}: ${problem}`)
  }
  const over = (check: TurnCheck, now: number): void => {
    open -= 1
    if (check.fault === null) {
      answered += 1
      pieces += check.pieces
      fewestPieces = Math.min(fewestPieces, check.pieces)
      record(end, check, now)
      if (check.dueAt >= measuredFrom) {
        measured += 1
        lastEnd = now
      }
    }
    if (open === 0 && sent === total) settled.resolve()
  }
  const now = (): number => performance.now() - started

  const look = (check: TurnCheck, act: () => string | null): void => {
    const wasOver = check.isOver
    note(check.turnId, act())
    if (!wasOver && check.isOver) over(check, now())
  }
  for (const relay of listeners) {
    relay.target = {
      acknowledged(turnId, ack) {
        const check = checks.get(turnId)
        if (check === undefined) return note(turnId, 'acknowledged, and was never asked')
        look(check, () => check.accepted(ack))
        if (check.fault === null) record(accepted, check, now())
      },
      piece(piece) {
        const check = checks.get(piece.turn_id ?? '')
        if (check === undefined) return note(piece.turn_id, 'a piece of a question that was never asked')
        const { pieces } = check
        look(check, () => check.piece(piece))
        if (pieces === 0 && check.pieces === 1) record(firstPiece, check, now())
      },
      told(error) {
        const check = checks.get(error.turn_id ?? '')
        if (check === undefined) return note(error.turn_id, `error: ${error.message}`)
        look(check, () => check.failed(`error: ${error.message}`))
      },
      lost(reason) {
        connectionsLost += 1
        note(undefined, `a connection was lost: ${reason}`)
      }
    }
    if (relay.lostBecause !== null) relay.target.lost(relay.lostBecause)
  }

  const send = (index: number): void => {
    const number = firstNumber + index
    const place = index % connections.length
    const turnId = uuidv7()
    const check = createTurnCheck({ turnId, dueAt: dueMs(index, order), expected: piecesOf(number, order.pieces).join('') })
    checks.set(turnId, check)
    open += 1
    sent += 1
    record(sentLate, check, now())
    connections[place]?.ask({ message: questionOf(number), session_id: `load-${place}`, turn_id: turnId })
  }
  let cpuBefore = process.cpuUsage()
  let isMeasuring = false
  const startMeasuring = (): void => {
    isMeasuring = true
    cpuBefore = process.cpuUsage()
    onMeasuring()
  }
  for (let index = 0; index < total;) {
    for (const elapsed = now(); index < total && dueMs(index, order) <= elapsed; index += 1) {
      if (!isMeasuring && index >= warmUp) startMeasuring()
      send(index)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const cpu = process.cpuUsage(cpuBefore)
  const seconds = (now() - measuredFrom) / 1_000
  const timer = setTimeout(() => settled.resolve(), order.settleMs)
  await settled.promise
  clearTimeout(timer)
  for (const relay of listeners) relay.target = null
  for (const { turnId, isOver } of checks.values()) if (!isOver && examples.length < MOST_EXAMPLES) examples.push(`${turnId}: never ended`)
  const span = (lastEnd - measuredFrom) / 1_000
  return {
    sent,
    answered,
    errors,
    lost: open,
    connectionsLost,
    measured,
    reachedPerSecond: span <= 0 ? 0 : Math.round((measured / span) * 10) / 10,
    pieces: answered === 0 ? { mean: 0, fewest: 0 } : { mean: Math.round((pieces / answered) * 100) / 100, fewest: fewestPieces },
    acceptedMs: percentiles(accepted),
    firstPieceMs: percentiles(firstPiece),
    endMs: percentiles(end),
    sentLateMs: percentiles(sentLate),
    cpuMicros: cpu.user + cpu.system,
    seconds,
    examples
  }
}

const say = (answer: GeneratorAnswer): void => void process.send?.(answer)
let crowd: Crowd | null = null
let asked = 0

async function obey(message: GeneratorOrder): Promise<void> {
  if (message.type === 'connect') {
    crowd = await gather(message.order)
    say({ type: 'connected', tookMs: crowd.tookMs, handshakeMs: crowd.handshakeMs })
  } else if (message.type === 'ask') {
    if (crowd === null) throw new Error('nobody is connected')
    const result = await ask(crowd, message.order, { firstNumber: asked, onMeasuring: () => say({ type: 'measuring' }) })
    asked += result.sent
    say({ type: 'asked', asked: result })
  } else {
    for (const connection of crowd?.connections ?? []) connection.end()
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
