// The store over a whole fake bridge: snapshot, deltas, gaps, races between pages and pushes, and what a failed call leaves.
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeBridge, type FakeBridge, type FakeOptions } from '../../../test/renderer/fake-bridge.ts'
import { CopilotError } from '../../shared/errors.ts'
import { createBridge } from '../bridge.ts'
import type { DraftStorage } from './drafts.ts'
import type { FrameScheduler } from './frame.ts'
import type { Mirror } from './mirror.ts'
import { draftKey, draftOf } from './model.ts'
import { createAppStore, type AppStore } from './store.ts'

/** Frames that the test paints. */
function manualFrames(): FrameScheduler & { paint(): void; requested(): number } {
  let waiting: (() => void)[] = []
  let count = 0
  return {
    request: (work) => {
      count += 1
      waiting.push(work)
      return () => {
        waiting = waiting.filter((other) => other !== work)
      }
    },
    paint: () => {
      const now = waiting
      waiting = []
      for (const work of now) work()
    },
    requested: () => count
  }
}

function memoryStorage(): DraftStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>()
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key)
  }
}

interface Stage {
  readonly fake: FakeBridge
  readonly store: AppStore
  readonly frames: ReturnType<typeof manualFrames>
  readonly storage: ReturnType<typeof memoryStorage>
  readonly mirror: () => Mirror
}

const started: Stage[] = []
afterEach(() => {
  for (const { store, fake } of started.splice(0)) {
    store.stop()
    fake.stop()
  }
})

/** Resolves at the first state that fits; the test's own timeout ends the wait. */
function until(store: AppStore, fits: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (fits()) {
      resolve()
      return
    }
    const end = store.subscribe(() => {
      if (!fits()) return
      end()
      resolve()
    })
  })
}

async function stage(options: FakeOptions = {}, storage = memoryStorage()): Promise<Stage> {
  const fake = createFakeBridge({ now: Date.UTC(2026, 2, 3, 10), longCount: 400, ...options })
  const frames = manualFrames()
  let id = 0
  const newId = (): string => {
    id += 1
    return `0190b2a4-0000-7000-8000-${String(id).padStart(12, '0')}`
  }
  const store = createAppStore(createBridge(fake.api), { frames, storage, newId, random: () => 0 })
  const mirror = (): Mirror => {
    const found = store.getState().mirror
    if (found === null) throw new Error('no snapshot yet')
    return found
  }
  const made = { fake, store, frames, storage, mirror }
  started.push(made)
  store.start()
  await until(store, () => store.getState().mirror !== null)
  const { selectedSessionId } = store.getState().local
  if (selectedSessionId !== null) await until(store, () => mirror().transcripts[selectedSessionId]?.status === 'ready')
  return made
}

const snapshots = (fake: FakeBridge): number => fake.calls.filter((call) => call.method === 'snapshot').length
const cutOver = 'What should the cut-over plan for the landing zone contain?'

describe('the mirror', () => {
  it('shows the snapshot and opens the newest session', async () => {
    const { store, mirror } = await stage()
    expect(store.getState().local.selectedSessionId).toBe('s-claims')
    expect(mirror().transcripts['s-claims']?.ids).toHaveLength(8)
    expect(Object.keys(mirror().sessions)).not.toContain('s-old')
  })

  it('applies many pushes in one frame, with one write', async () => {
    const { fake, store, frames, mirror } = await stage()
    let writes = 0
    const end = store.subscribe(() => (writes += 1))
    const before = frames.requested()
    for (let count = 1; count <= 50; count += 1) fake.push({ slice: 'waiting', count })
    expect(mirror().waiting).toBe(0)
    frames.paint()
    end()
    expect(mirror().waiting).toBe(50)
    expect(writes).toBe(1)
    expect(frames.requested() - before).toBe(1)
  })

  it('ignores a push that was already in the snapshot', async () => {
    const { fake, frames, mirror } = await stage()
    const { seq } = mirror()
    fake.pushRaw({ seq, deltas: [{ slice: 'waiting', count: 99 }] })
    frames.paint()
    expect(mirror().waiting).toBe(0)
    expect(snapshots(fake)).toBe(1)
  })

  it('asks for a snapshot after a gap, and ends in the same state as without it', async () => {
    const { fake, store, frames, mirror } = await stage()
    fake.pushAfterGap({ slice: 'waiting', count: 7 })
    frames.paint()
    expect(mirror().waiting).toBe(0)
    await until(store, () => snapshots(fake) === 2 && mirror().seq === 2)
    fake.push({ slice: 'waiting', count: 3 })
    frames.paint()
    expect(mirror()).toMatchObject({ seq: 3, waiting: 3 })
  })

  it('keeps pushes that arrive while the snapshot is on its way', async () => {
    const { fake, store, frames, mirror } = await stage()
    const release = fake.hold('snapshot')
    fake.pushAfterGap({ slice: 'waiting', count: 1 })
    frames.paint()
    fake.push({ slice: 'waiting', count: 5 })
    release()
    await until(store, () => mirror().waiting === 5)
    expect(snapshots(fake)).toBe(2)
  })

  it('takes a push that it cannot read for a gap', async () => {
    const { fake, store, mirror } = await stage()
    fake.pushRaw({ seq: 'one', deltas: 'none' })
    await until(store, () => snapshots(fake) === 2)
    expect(mirror().sessions['s-claims']).toBeDefined()
  })

  it('says why it cannot start, and starts when the person tries again', async () => {
    const fake = createFakeBridge()
    fake.failNext('snapshot', new CopilotError('unavailable', 'The history is being opened.'))
    const store = createAppStore(createBridge(fake.api), { frames: manualFrames(), storage: memoryStorage(), newId: () => 'x', random: () => 0 })
    started.push({ fake, store } as Stage)
    store.start()
    await until(store, () => store.getState().startError === 'The history is being opened.')
    store.actions.retrySnapshot()
    await until(store, () => store.getState().mirror !== null)
    expect(store.getState().startError).toBeNull()
  })

  it('has no way to write past the actions', async () => {
    const { store } = await stage()
    expect(Object.keys(store).sort()).toEqual(['actions', 'bridge', 'getInitialState', 'getState', 'start', 'stop', 'subscribe'])
  })
})

/** A question is asked in the open session, its answer has begun and waits for `advance()`. */
async function asked(): Promise<Stage & { readonly answerId: string }> {
  const made = await stage()
  made.store.actions.setDraft(draftKey('s-claims'), cutOver)
  await made.store.actions.ask({ sessionId: 's-claims' })
  made.frames.paint()
  const answerId = made.mirror().transcripts['s-claims']?.ids.at(-1)
  if (answerId === undefined) throw new Error('no answer')
  return { ...made, answerId }
}

describe('answers on their way', () => {
  it('grow piece by piece and end as the stored message', async () => {
    const { fake, frames, mirror, answerId } = await asked()
    fake.advance(20)
    frames.paint()
    expect(mirror().turns[answerId]?.text.startsWith('**A cut-over plan')).toBe(true)
    fake.advance(1_000)
    frames.paint()
    expect(mirror().turns[answerId]).toBeUndefined()
    expect(mirror().messages[answerId]?.text).toBe(fake.messages.get(answerId)?.text)
  })

  it('change only their own entry, so that other messages keep their identity', async () => {
    const { fake, frames, mirror } = await asked()
    const { messages, transcripts } = mirror()
    fake.advance(10)
    frames.paint()
    expect(mirror().messages).toBe(messages)
    expect(mirror().transcripts).toBe(transcripts)
  })

  it('miss no character when a page is fetched in the middle', async () => {
    const { fake, store, frames, mirror, answerId } = await asked()
    fake.advance(15)
    frames.paint()
    const release = fake.hold('messages.page')
    const loading = store.actions.loadLatest('s-claims')
    // The page holds the text of piece 15; these come while it is on its way.
    fake.advance(5)
    frames.paint()
    fake.advance(5)
    frames.paint()
    release()
    await loading
    expect(mirror().turns[answerId]?.text ?? mirror().messages[answerId]?.text).toBe(fake.messages.get(answerId)?.text)
  })

  it('are fetched again when an event was lost, and miss no character', async () => {
    const { fake, store, frames, mirror, answerId } = await asked()
    fake.advance(15)
    frames.paint()
    // Lost inside the turn, not between pushes: numbers of the turn skip one.
    const stored = fake.messages.get(answerId)
    const lastSeq = stored?.answer?.lastSeq ?? 0
    fake.push({
      slice: 'turn',
      sessionId: 's-claims',
      messageId: answerId,
      events: [{ turnId: stored?.turnId ?? '', seq: lastSeq + 2, at: 1, type: 'delta', text: 'too early' }]
    })
    frames.paint()
    expect(mirror().torn).toEqual(['s-claims'])
    fake.advance(10)
    await until(store, () => fake.calls.filter((call) => call.method === 'messages.page').length === 2 && mirror().torn.length === 0)
    fake.advance(1_000)
    frames.paint()
    await until(store, () => mirror().messages[answerId]?.answer?.state === 'done')
    expect(mirror().messages[answerId]?.text).toBe(fake.messages.get(answerId)?.text)
  })

  it('are not thrown back by an older copy of the message', async () => {
    const { fake, frames, mirror, answerId } = await asked()
    const old = fake.messages.get(answerId)
    fake.advance(30)
    frames.paint()
    const text = mirror().turns[answerId]?.text
    if (old === undefined) throw new Error('no answer')
    fake.push({ slice: 'message', value: old })
    frames.paint()
    expect(mirror().turns[answerId]?.text).toBe(text)
    fake.advance(1)
    frames.paint()
    expect(mirror().torn).toEqual([])
  })
})

describe('transcripts', () => {
  it('extend to both sides without a hole', async () => {
    const { store, mirror } = await stage()
    await store.actions.openMessage('s-archive', 's-archive-q201')
    await store.actions.loadEarlier('s-archive')
    await store.actions.loadLater('s-archive')
    const ids = mirror().transcripts['s-archive']?.ids ?? []
    const positions = ids.map((id) => mirror().messages[id]?.position ?? 0)
    expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index))
    expect(ids.length).toBe(300)
    expect(store.getState().local.jump).toMatchObject({ messageId: 's-archive-q201' })
  })

  it('leave a new message out while the newest page is not loaded, and load it after the person asks', async () => {
    const { store, frames, mirror } = await stage()
    await store.actions.openMessage('s-archive', 's-archive-q101')
    expect(mirror().transcripts['s-archive']?.hasLater).toBe(true)
    store.actions.setDraft(draftKey('s-archive'), 'And now?')
    await store.actions.ask({ sessionId: 's-archive' })
    frames.paint()
    expect(mirror().transcripts['s-archive']?.hasLater).toBe(false)
    const texts = (mirror().transcripts['s-archive']?.ids ?? []).map((id) => mirror().messages[id]?.text)
    expect(texts.at(-2)).toBe('And now?')
  })

  it('say why they could not be read', async () => {
    const { fake, store, mirror } = await stage()
    fake.failNext('messages.page', new CopilotError('internal', 'The page is damaged.'))
    store.actions.selectSession('s-landing')
    await until(store, () => mirror().transcripts['s-landing']?.status === 'failed')
    expect(mirror().transcripts['s-landing']?.error).toBe('The page is damaged.')
  })

  it('drop a removed message', async () => {
    const { fake, frames, mirror } = await stage()
    fake.push({ slice: 'message-removed', id: 's-claims-a7', sessionId: 's-claims' })
    frames.paint()
    expect(mirror().transcripts['s-claims']?.ids).not.toContain('s-claims-a7')
  })
})

describe('drafts', () => {
  const key = draftKey('s-claims')

  it('outlive a reload, per session', async () => {
    const first = await stage()
    first.store.actions.setDraft(key, 'Half a question\nin two lines')
    first.store.actions.setDraft(draftKey('s-landing'), 'Another')
    const second = await stage({}, first.storage)
    expect(draftOf(second.store.getState().local, key).text).toBe('Half a question\nin two lines')
    second.store.actions.selectSession('s-landing')
    expect(draftOf(second.store.getState().local, draftKey('s-landing')).text).toBe('Another')
  })

  it('stay when the core refuses, and the second attempt is the same question', async () => {
    const { fake, store, storage } = await stage()
    store.actions.setDraft(key, cutOver)
    fake.failNext('turn.ask', new CopilotError('internal', 'The disk is full. Nothing was sent.'))
    await store.actions.ask({ sessionId: 's-claims' })
    expect(draftOf(store.getState().local, key).text).toBe(cutOver)
    expect(store.getState().local.boxErrors[key]).toBe('The disk is full. Nothing was sent.')
    await store.actions.ask({ sessionId: 's-claims' })
    const turns = fake.calls.filter((call) => call.method === 'turn.ask').map((call) => (call.input as { turnId: string }).turnId)
    expect(turns).toHaveLength(2)
    expect(new Set(turns).size).toBe(1)
    expect(draftOf(store.getState().local, key).text).toBe('')
    expect(storage.items.size).toBe(1)
  })

  it('are another question once the text has changed', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, 'One')
    fake.failNext('turn.ask', new CopilotError('timeout', 'Too slow.'))
    await store.actions.ask({ sessionId: 's-claims' })
    store.actions.setDraft(key, 'Two')
    await store.actions.ask({ sessionId: 's-claims' })
    const turns = fake.calls.filter((call) => call.method === 'turn.ask').map((call) => (call.input as { turnId: string }).turnId)
    expect(new Set(turns).size).toBe(2)
  })

  it('are sent once however often Enter is pressed', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, cutOver)
    await Promise.all([store.actions.ask({ sessionId: 's-claims' }), store.actions.ask({ sessionId: 's-claims' })])
    expect(fake.calls.filter((call) => call.method === 'turn.ask')).toHaveLength(1)
  })

  it('lose nothing when text comes from outside', async () => {
    const { fake, store, frames } = await stage()
    store.actions.setDraft(key, 'Typed already')
    fake.push({ slice: 'command', command: 'ask', text: 'from the clipboard\u0000' })
    frames.paint()
    expect(draftOf(store.getState().local, key).text).toBe('Typed already\nfrom the clipboard')
    expect(fake.calls.some((call) => call.method === 'turn.ask')).toBe(false)
  })

  it('say so when they cannot be kept', async () => {
    const full: ReturnType<typeof memoryStorage> = { ...memoryStorage(), setItem: () => { throw new DOMException('full', 'QuotaExceededError') } } // prettier-ignore
    const fake = createFakeBridge({ seed: 'empty' })
    const store = createAppStore(createBridge(fake.api), { frames: manualFrames(), storage: full, newId: () => 'x', random: () => 0 })
    started.push({ fake, store } as Stage)
    store.actions.setDraft('question.new', 'Text')
    expect(store.getState().local.notes[0]?.level).toBe('warning')
    expect(draftOf(store.getState().local, 'question.new').text).toBe('Text')
  })
})

describe('the bridge', () => {
  it('takes an answer that does not fit the contract for a failure', async () => {
    const client = createBridge({ window: 'main', call: () => Promise.resolve({ ok: true, value: { seq: 'x' } }), onPush: () => () => undefined })
    await expect(client.call('snapshot', null)).rejects.toMatchObject({ code: 'internal' })
  })
  it('hands on the code and words of a failure', async () => {
    const { store, fake } = await stage()
    fake.failNext('search.query', new CopilotError('unavailable', 'The index is being built.', { retryAfterMs: 500 }))
    await expect(store.bridge.call('search.query', { text: 'x' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The index is being built.',
      retryAfterMs: 500
    })
  })
  it('drops an answer that nobody waits for any more', async () => {
    const { store } = await stage()
    await expect(store.bridge.call('search.query', { text: 'x' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
  })
})
