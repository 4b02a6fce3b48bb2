// What every turn log must do, whatever it keeps its events in.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TurnLog, TurnRecord } from '../../src/service/turns/turnLog.ts'
import type { TurnEvent } from '../../src/shared/turn.ts'
import { arbitraryTurn, numbered } from '../fakes/arbitraries.ts'
import { aQuestion } from '../fakes/service-parts.ts'

export interface TurnLogUnderTest extends AsyncDisposable {
  readonly log: TurnLog
}

export function turnLogContract(make: () => Promise<TurnLogUnderTest>): void {
  let made = 0
  const record = (part: Partial<TurnRecord> = {}): TurnRecord => {
    const question = aQuestion()
    made += 1
    return { turnId: question.turnId, userId: 'anna', messageId: `m${made}`, question, createdAt: 1_000 + made, ...part }
  }
  const turn = (turnId: string, size = 3): TurnEvent[] =>
    numbered(turnId, [
      { type: 'accepted', messageId: 'm' },
      ...Array.from({ length: size }, (_, index) => ({ type: 'delta' as const, text: `piece ${index} ` })),
      { type: 'done', messageId: 'm', finish: 'stop' }
    ])

  it('knows nothing of a turn that was never opened', async () => {
    await using under = await make()
    expect(await under.log.find('nowhere')).toBeNull()
    expect(await under.log.read('nowhere', 0)).toEqual([])
  })

  it('opens a turn once and keeps the first record', async () => {
    await using under = await make()
    const first = record()
    expect(await under.log.open(first)).toBe(true)
    expect(await under.log.open({ ...first, userId: 'bob' })).toBe(false)
    expect(await under.log.find(first.turnId)).toEqual({ ...first, lastSeq: 0, hasText: false, ended: false })
  })

  it('opens a turn with its first event, which the next ones follow', async () => {
    await using under = await make()
    const own = record()
    const [accepted, ...rest] = turn(own.turnId)
    if (accepted?.type !== 'accepted') throw new TypeError('a turn begins with accepted')
    expect(await under.log.open(own, accepted)).toBe(true)
    expect(await under.log.open(own, { ...accepted, messageId: 'another' })).toBe(false)
    expect(await under.log.find(own.turnId)).toEqual({ ...own, lastSeq: 1, hasText: false, ended: false })
    expect(await under.log.read(own.turnId, 0)).toEqual([accepted])
    await expect(under.log.append(own.turnId, [accepted])).rejects.toThrow(RangeError)
    await under.log.append(own.turnId, rest)
    expect(await under.log.read(own.turnId, 0)).toEqual([accepted, ...rest])
  })

  it('gives back exactly what was appended, from any position, however it was cut into appends', async () => {
    await using under = await make()
    await fc.assert(
      fc.asyncProperty(
        arbitraryTurn('x'),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        fc.nat(40),
        async (events, cuts, afterSeq) => {
          const own = record()
          const all = events.map((event) => ({ ...event, turnId: own.turnId }))
          await under.log.open(own)
          for (let start = 0, cut = 0; start < all.length; cut += 1) {
            const size = cuts[cut % cuts.length] ?? 1
            await under.log.append(own.turnId, all.slice(start, start + size))
            start += size
          }
          expect(await under.log.read(own.turnId, afterSeq)).toEqual(all.slice(afterSeq))
          expect(await under.log.find(own.turnId)).toMatchObject({
            lastSeq: all.length,
            ended: true,
            hasText: all.some((event) => event.type === 'delta')
          })
        }
      ),
      { numRuns: 40 }
    )
  })

  it('refuses a gap, a repetition and anything after the end, and keeps what it had', async () => {
    await using under = await make()
    const own = record()
    const events = turn(own.turnId)
    await under.log.open(own)
    await under.log.append(own.turnId, events.slice(0, 2))
    await expect(under.log.append(own.turnId, events.slice(3, 4))).rejects.toThrow(RangeError)
    await expect(under.log.append(own.turnId, events.slice(1, 2))).rejects.toThrow(RangeError)
    await under.log.append(own.turnId, events.slice(2))
    await expect(under.log.append(own.turnId, [{ ...events[1]!, seq: events.length + 1 } as TurnEvent])).rejects.toThrow(RangeError)
    expect(await under.log.read(own.turnId, 0)).toEqual(events)
    await expect(under.log.append('nowhere', numbered('nowhere', [{ type: 'delta', text: 'x' }]))).rejects.toThrow(RangeError)
  })

  it('lists what has no end, oldest first, and forgets what is old', async () => {
    await using under = await make()
    const [old, ended, young] = [record({ createdAt: 10 }), record({ createdAt: 20 }), record({ createdAt: 30 })]
    for (const one of [young, ended, old]) await under.log.open(one)
    await under.log.append(ended.turnId, turn(ended.turnId))
    await under.log.append(old.turnId, turn(old.turnId).slice(0, 1))
    expect((await under.log.unfinished()).map(({ turnId }) => turnId)).toEqual([old.turnId, young.turnId])
    expect(await under.log.prune(21)).toBe(2)
    expect(await under.log.read(ended.turnId, 0)).toEqual([])
    expect(await under.log.find(old.turnId)).toBeNull()
    expect((await under.log.unfinished()).map(({ turnId }) => turnId)).toEqual([young.turnId])
  })

  it('takes any text whole', async () => {
    await using under = await make()
    const own = record({ question: aQuestion({ text: `“ü” \u{1F600} <script> ' " \\ ${'x'.repeat(30_000)}`, context: { ключ: '值' } }) })
    await under.log.open(own)
    const events = numbered(own.turnId, [{ type: 'delta', text: '\u{1F600}\n\t"\\’<b>' }])
    await under.log.append(own.turnId, events)
    expect(await under.log.read(own.turnId, 0)).toEqual(events)
    expect((await under.log.find(own.turnId))?.question).toEqual(own.question)
  })
}
