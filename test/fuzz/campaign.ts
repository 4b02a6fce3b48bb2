// One dialect fuzzed from beginning to end: a warm-up, then the rest, with the service's memory and handles measured between.
import type { Finding, FuzzedDialect, Lane, Person, Replies } from './fuzz.ts'
import { chanceOf } from './hostile.ts'
import type { Measured } from './service.ts'
import { WEBHOOK_SECRET, type Victim } from './victim.ts'

/** Much of a run is waiting for the other process: more at once wait less. */
const MOST_LANES = 8
const MESSAGES_OF_A_LANE = 200
const LARGEST_BATCH = 200
/** What a run may leave behind: caches that are bounded, fragmentation. Measured after a warm-up of the same kind. */
const GROWTH_BYTES = 24 * 1_048_576
const MOST_FINDINGS = 5

export interface Campaign {
  readonly messages: number
  readonly seed: number
  /** Only this one; null: all. */
  readonly batch: number | null
  readonly say: (line: string) => void
}

export interface Outcome {
  readonly ok: boolean
  readonly messages: number
  readonly seconds: number
  /** Of messages to which one is due; exact when `came` lies from `due` to `due + open`. */
  readonly replies: Replies
  readonly heapBefore: number
  readonly heapAfter: number
  readonly handlesBefore: number
  readonly handlesAfter: number
  readonly findings: readonly string[]
}

interface Spell {
  readonly first: number
  readonly last: number
}

export async function fuzz(dialect: FuzzedDialect, victim: Victim, { messages, seed, batch: only, say }: Campaign): Promise<Outcome> {
  const size = Math.min(LARGEST_BATCH, Math.max(10, Math.floor(messages / 16)))
  const lanesAtOnce = Math.min(MOST_LANES, Math.max(2, Math.floor(messages / MESSAGES_OF_A_LANE)))
  const findings: Finding[] = []
  const replies = { due: 0, open: 0, came: 0 }
  let sent = 0

  const runLane = async (lane: Lane, first: number, last: number): Promise<void> => {
    for (let number = first; number < last && findings.length < MOST_FINDINGS; number += lanesAtOnce) {
      try {
        const { due, open, came } = await lane.batch({ size, chance: chanceOf(seed + number), number })
        replies.due += due
        replies.open += open
        replies.came += came
        sent += size
      } catch (error) {
        findings.push({ batch: number, what: error instanceof Error ? error.message : String(error) })
        // What it has open and counted is no longer known.
        return
      }
    }
  }
  const spell = async ({ first, last }: Spell): Promise<void> => {
    const { grpc, http } = victim.ready
    const admin = await victim.token('boss', 'admin')
    const personNamed = async (userId: string): Promise<Person> => ({ userId, token: await victim.token(userId) })
    const lanes = await Promise.all(
      Array.from({ length: lanesAtOnce }, async (_, index) => {
        const person = await personNamed(`${dialect.name} ${first} ${index}`)
        const other = await personNamed(`${person.userId} aside`)
        return await dialect.open({ grpc, http, admin, person, other, webhookSecret: WEBHOOK_SECRET })
      })
    )
    await Promise.all(lanes.map((lane, index) => runLane(lane, first + index, last)))
    await Promise.all(lanes.map((lane) => lane.close()))
  }

  const batches = Math.ceil(messages / size)
  const warmUp = Math.max(lanesAtOnce, Math.min(40, Math.floor(batches / 5)))
  const before = await victim.measure()
  const startedAt = performance.now()
  if (only === null) await spell({ first: 0, last: warmUp })
  const warm = await settled(victim, before.handles.length)
  const rest = only === null ? { first: warmUp, last: Math.max(batches, warmUp + lanesAtOnce) } : { first: only, last: only + 1 }
  await spell(rest)
  const after = await settled(victim, before.handles.length)
  const grownBytes = after.heapBytes - warm.heapBytes
  for (const what of [...warm.bugs, ...after.bugs]) findings.push({ batch: -1, what: `a bug in the service: ${what}` })
  if (grownBytes > GROWTH_BYTES) findings.push({ batch: -1, what: `the heap grew by ${grownBytes} bytes` })
  if (after.handles.length > before.handles.length) {
    findings.push({ batch: -1, what: `${before.handles.length} handles became ${after.handles.length}: ${after.handles.join(' ')}` })
  }
  for (const { batch, what } of findings) {
    say(`${dialect.name}: ${what}`)
    if (batch >= 0) say(`  again: npm run --silent fuzz -- --only ${dialect.name} --messages ${messages} --seed ${seed} --batch ${batch}`)
  }
  return {
    ok: findings.length === 0,
    messages: sent,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    replies,
    heapBefore: warm.heapBytes,
    heapAfter: after.heapBytes,
    handlesBefore: before.handles.length,
    handlesAfter: after.handles.length,
    findings: findings.slice(0, MOST_FINDINGS).map(({ what }) => what.slice(0, 300))
  }
}

/** Handles go some time after their connections. */
async function settled(victim: Victim, most: number): Promise<Measured> {
  let now = await victim.measure()
  const bugs = [...now.bugs]
  for (let tries = 0; tries < 30 && now.handles.length > most; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    now = await victim.measure()
    bugs.push(...now.bugs)
  }
  return { ...now, bugs }
}
