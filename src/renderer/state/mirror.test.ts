// The mirror under lost events and late pages: what is shown is always a beginning of the answer, and in the end the answer.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../shared/bridge.ts'
import { defaultSettings, type Message } from '../../shared/domain.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { applyPage, applyPush, beginTranscript, fromSnapshot, type Mirror, type PageArrival } from './mirror.ts'

const snapshot: Snapshot = {
  seq: 0, settings: defaultSettings, sessions: [], waiting: 0, overlaySessionId: null, announcements: [],
  jobs: [],
  drafts: {},
  link: { state: 'online', transport: 'grpc', reason: '', retryAt: null, since: 0, service: { embedded: true, address: '', version: null, answeredBy: null } },
  desktop: { version: '0', platform: 'linux', keyStorage: 'vault',
    locked: false, captureProtection: 'hidden', shortcuts: {}, overlayVisible: false, historyIncident: null }
} // prettier-ignore

/** The answer after its first `count` events: one letter each, then `done`. */
function answerAfter(count: number, length: number): Message {
  return {
    id: 'a', sessionId: 's', turnId: 't', role: 'assistant', text: lettersTo(Math.min(count, length)), createdAt: 1, position: 2, quickAction: null, delivery: null,
    answer: { state: count > length ? 'done' : 'answering', citations: [], notices: [], usage: null, error: null, finish: null, lastSeq: count }
  } // prettier-ignore
}
function lettersTo(count: number): string {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(97 + (index % 26))).join('')
}
function event(seq: number): TurnEvent {
  return { type: 'delta', turnId: 't', seq, at: seq, text: lettersTo(seq).slice(-1) }
}

interface Scene {
  mirror: Mirror
  seq: number
  /** Events that main has numbered so far. */
  known: number
  readonly late: Omit<PageArrival, 'sessionId' | 'place' | 'keep'>[]
}

function open(length: number): Scene {
  const scene: Scene = { mirror: beginTranscript(fromSnapshot(snapshot, null), 's'), seq: 0, known: 0, late: [] }
  fetchPage(scene, length)
  deliver(scene)
  return scene
}
function fetchPage(scene: Scene, length: number): void {
  scene.late.push({ asOf: scene.mirror.seq, page: { messages: [answerAfter(scene.known, length)], hasEarlier: false, hasLater: false } })
}
function deliver(scene: Scene): void {
  const arrival = scene.late.shift()
  if (arrival !== undefined) scene.mirror = applyPage(scene.mirror, { ...arrival, sessionId: 's', place: 'replace', keep: 100 })
}
function push(scene: Scene, deltas: Parameters<typeof applyPush>[1]['deltas']): void {
  scene.seq += 1
  const next = applyPush(scene.mirror, { seq: scene.seq, deltas })
  if (next === null) throw new Error('the pushes follow each other')
  scene.mirror = next
}
function shown(scene: Scene): string {
  return scene.mirror.turns['a']?.text ?? scene.mirror.messages['a']?.text ?? ''
}

describe('an answer in the mirror', () => {
  it('is a beginning of the answer at every moment and the answer in the end, whatever is lost or late', () => {
    const length = 24
    const step = fc.oneof(
      fc.record({ kind: fc.constant('events' as const), count: fc.integer({ min: 1, max: 4 }), lost: fc.boolean() }),
      fc.record({ kind: fc.constant('fetch' as const) }),
      fc.record({ kind: fc.constant('deliver' as const) }),
      fc.record({ kind: fc.constant('stored' as const) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scene = open(length)
        for (const one of steps) {
          if (one.kind === 'fetch') fetchPage(scene, length)
          else if (one.kind === 'deliver') deliver(scene)
          else if (one.kind === 'stored') push(scene, [{ slice: 'message', value: answerAfter(scene.known, length) }])
          else {
            const from = scene.known
            scene.known = Math.min(length, from + one.count)
            const events = Array.from({ length: scene.known - from }, (_, index) => event(from + index + 1))
            if (!one.lost && events.length > 0) push(scene, [{ slice: 'turn', sessionId: 's', messageId: 'a', events }])
          }
          expect(lettersTo(length).startsWith(shown(scene))).toBe(true)
        }
        // What a torn transcript leads to: it is fetched once more, and everything out there arrives.
        fetchPage(scene, length)
        while (scene.late.length > 0) deliver(scene)
        const rest = Array.from({ length: length - scene.known }, (_, index) => event(scene.known + index + 1))
        if (rest.length > 0) push(scene, [{ slice: 'turn', sessionId: 's', messageId: 'a', events: rest }])
        expect(shown(scene)).toBe(lettersTo(length))
      }),
      { numRuns: 500 }
    )
  })

  it('goes on from a fetched page with the events that came after the lost one', () => {
    const scene = open(10)
    scene.known = 3
    push(scene, [{ slice: 'turn', sessionId: 's', messageId: 'a', events: [event(1), event(2), event(3)] }])
    // Event 4 is lost.
    push(scene, [{ slice: 'turn', sessionId: 's', messageId: 'a', events: [event(5), event(6)] }])
    expect([shown(scene), scene.mirror.torn]).toEqual(['abc', ['s']])
    scene.known = 4
    fetchPage(scene, 10)
    deliver(scene)
    expect(shown(scene)).toBe('abcdef')
  })

  it('is not put back by a page that was read before it ended', () => {
    const scene = open(5)
    scene.known = 2
    fetchPage(scene, 5)
    push(scene, [{ slice: 'message', value: answerAfter(6, 5) }])
    deliver(scene)
    expect(scene.mirror.messages['a']?.answer?.state).toBe('done')
    expect(shown(scene)).toBe('abcde')
  })
})
