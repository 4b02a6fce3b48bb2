// The store over a whole fake bridge: snapshot, deltas, gaps, races between pages and pushes, and what a failed call leaves.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeBridge, type FakeBridge, type FakeOptions } from '../../../test/renderer/fake-bridge.ts'
import { CopilotError } from '../../shared/errors.ts'
import { createBridge } from '../bridge.ts'
import type { FrameScheduler } from './frame.ts'
import type { Mirror } from './mirror.ts'
import { draftOf, OVERLAY_BOX } from './model.ts'
import { createAppStore, type AppStore, type WindowPlace } from './store.ts'

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

function memoryPlace(): WindowPlace {
  let selected: string | null = null
  return {
    read: () => selected,
    write: (id) => {
      selected = id
    }
  }
}

interface Stage {
  readonly fake: FakeBridge
  readonly store: AppStore
  readonly frames: ReturnType<typeof manualFrames>
  readonly place: WindowPlace
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

async function stage(options: FakeOptions = {}, place = memoryPlace()): Promise<Stage> {
  const fake = createFakeBridge({ now: Date.UTC(2026, 2, 3, 10), longCount: 400, ...options })
  const frames = manualFrames()
  let id = 0
  const newId = (): string => {
    id += 1
    return `0190b2a4-0000-7000-8000-${String(id).padStart(12, '0')}`
  }
  const store = createAppStore(createBridge(fake.api), { frames, place, newId, random: () => 0 })
  const mirror = (): Mirror => {
    const found = store.getState().mirror
    if (found === null) throw new Error('no snapshot yet')
    return found
  }
  const made = { fake, store, frames, place, mirror }
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
    const store = createAppStore(createBridge(fake.api), { frames: manualFrames(), place: memoryPlace(), newId: () => 'x', random: () => 0 })
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
  made.store.actions.setDraft('s-claims', cutOver)
  await made.store.actions.ask({ box: 's-claims', sessionId: 's-claims' })
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
    store.actions.setDraft('s-archive', 'And now?')
    await store.actions.ask({ box: 's-archive', sessionId: 's-archive' })
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

/** What main holds of a draft, after the calls that are on their way. */
const keptDrafts = (fake: FakeBridge): Record<string, string> => Object.fromEntries([...fake.drafts].map(([key, draft]) => [key, draft.text]))

describe('drafts', () => {
  const key = 's-claims'
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('are kept by main shortly after they were typed, with one call for many keys', async () => {
    const { fake, store } = await stage()
    for (const text of ['H', 'Ha', 'Half a question']) store.actions.setDraft(key, text)
    expect(keptDrafts(fake)).toEqual({})
    await vi.advanceTimersByTimeAsync(300)
    expect(keptDrafts(fake)).toEqual({ [key]: 'Half a question' })
    expect(fake.calls.filter((call) => call.method === 'drafts.keep')).toHaveLength(1)
  })

  it('are kept every 300 ms while somebody goes on typing', async () => {
    const { fake, store } = await stage()
    for (let typed = 1; typed <= 20; typed += 1) {
      store.actions.setDraft(key, 'x'.repeat(typed))
      await vi.advanceTimersByTimeAsync(100)
    }
    expect((keptDrafts(fake)[key] ?? '').length).toBeGreaterThanOrEqual(17)
  })

  it('are kept at once when the window loses the focus or goes', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, 'Half')
    store.actions.flushDrafts()
    await vi.advanceTimersByTimeAsync(0)
    expect(keptDrafts(fake)).toEqual({ [key]: 'Half' })
    store.actions.setDraft(key, 'Half a question')
    store.stop()
    await vi.advanceTimersByTimeAsync(0)
    expect(keptDrafts(fake)).toEqual({ [key]: 'Half a question' })
  })

  it('come back from the snapshot, per session', async () => {
    const { store } = await stage({
      drafts: { [key]: { text: 'Half a question\nin two lines', turnId: null }, 's-landing': { text: 'Another', turnId: null } }
    })
    expect(draftOf(store.getState().local, key).text).toBe('Half a question\nin two lines')
    store.actions.selectSession('s-landing')
    expect(draftOf(store.getState().local, 's-landing').text).toBe('Another')
  })

  it('are not overwritten by a later snapshot while they are typed', async () => {
    const { fake, store, frames } = await stage()
    store.actions.setDraft(key, 'Newer than what main holds')
    fake.drafts.set(key, { text: 'Older', turnId: null })
    fake.pushAfterGap({ slice: 'waiting', count: 1 })
    frames.paint()
    await vi.advanceTimersByTimeAsync(300)
    expect(draftOf(store.getState().local, key).text).toBe('Newer than what main holds')
    expect(keptDrafts(fake)).toEqual({ [key]: 'Newer than what main holds' })
  })

  it('do not bring back the text of a session that was removed', async () => {
    const { fake, store, frames } = await stage()
    store.actions.setDraft(key, 'About a client that is purged')
    fake.push({ slice: 'session-removed', id: key })
    frames.paint()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(keptDrafts(fake)).toEqual({})
  })

  it('stay when the core refuses, and the second attempt is the same question', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, cutOver)
    fake.failNext('turn.ask', new CopilotError('internal', 'The disk is full. Nothing was sent.'))
    await store.actions.ask({ box: key, sessionId: 's-claims' })
    expect(draftOf(store.getState().local, key).text).toBe(cutOver)
    expect(store.getState().local.boxErrors[key]).toBe('The disk is full. Nothing was sent.')
    await store.actions.ask({ box: key, sessionId: 's-claims' })
    const turns = fake.calls.filter((call) => call.method === 'turn.ask').map((call) => (call.input as { turnId: string }).turnId)
    expect(turns).toHaveLength(2)
    expect(new Set(turns).size).toBe(1)
    expect(draftOf(store.getState().local, key).text).toBe('')
    await vi.advanceTimersByTimeAsync(300)
    expect(keptDrafts(fake)).toEqual({})
  })

  it('are another question once the text has changed', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, 'One')
    fake.failNext('turn.ask', new CopilotError('timeout', 'Too slow.'))
    await store.actions.ask({ box: key, sessionId: 's-claims' })
    store.actions.setDraft(key, 'Two')
    await store.actions.ask({ box: key, sessionId: 's-claims' })
    const turns = fake.calls.filter((call) => call.method === 'turn.ask').map((call) => (call.input as { turnId: string }).turnId)
    expect(new Set(turns).size).toBe(2)
  })

  it('are sent once however often Enter is pressed', async () => {
    const { fake, store } = await stage()
    store.actions.setDraft(key, cutOver)
    await Promise.all([store.actions.ask({ box: key, sessionId: 's-claims' }), store.actions.ask({ box: key, sessionId: 's-claims' })])
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

  it('say so once when they cannot be kept, stay in the box, and are kept later', async () => {
    const { fake, store } = await stage()
    for (const text of ['Te', 'Tex']) {
      fake.failNext('drafts.keep', new CopilotError('internal', 'The disk is full.'))
      store.actions.setDraft(key, text)
      await vi.advanceTimersByTimeAsync(300)
    }
    expect(store.getState().local.notes.map((note) => note.level)).toEqual(['warning'])
    expect(draftOf(store.getState().local, key).text).toBe('Tex')
    store.actions.setDraft('s-landing', 'Other')
    await vi.advanceTimersByTimeAsync(300)
    expect(keptDrafts(fake)).toEqual({ [key]: 'Tex', 's-landing': 'Other' })
  })

  it('stay in the overlay’s one box whichever session it asks in, and leave the main window’s alone', async () => {
    const { fake, store } = await stage({ window: 'overlay', drafts: { [key]: { text: 'Typed in the main window', turnId: null } } })
    store.actions.setDraft(OVERLAY_BOX, cutOver)
    store.actions.selectSession('s-landing')
    expect(draftOf(store.getState().local, OVERLAY_BOX).text).toBe(cutOver)
    await store.actions.ask({ box: OVERLAY_BOX, sessionId: key })
    await vi.advanceTimersByTimeAsync(300)
    expect(keptDrafts(fake)).toEqual({ [key]: 'Typed in the main window' })
  })
})

describe('another history', () => {
  const restored = (fake: FakeBridge, without: string): void => {
    for (const [id, message] of fake.messages) if (message.sessionId === without) fake.messages.delete(id)
    fake.sessions.delete(without)
    fake.push({ slice: 'history-replaced' })
  }

  it('is read anew: transcripts of the old one are forgotten', async () => {
    const { fake, store, frames, mirror } = await stage()
    const message = fake.messages.get('s-claims-q7')
    if (message === undefined) throw new Error('no message')
    fake.messages.set(message.id, { ...message, text: 'As it was in the backup' })
    fake.push({ slice: 'history-replaced' })
    frames.paint()
    expect(mirror().messages).toEqual({})
    await until(store, () => mirror().transcripts['s-claims']?.status === 'ready')
    expect(mirror().messages[message.id]?.text).toBe('As it was in the backup')
  })

  it('falls back to another session when the open one is gone, and says so', async () => {
    const { fake, store, frames, mirror } = await stage()
    restored(fake, 's-claims')
    frames.paint()
    await until(store, () => store.getState().local.selectedSessionId !== 's-claims')
    await until(store, () => store.getState().local.notes.length > 0)
    expect(store.getState().local.notes[0]).toMatchObject({ level: 'info', text: expect.stringContaining('not in this history') })
    await until(store, () => store.getState().local.selectedSessionId !== null)
    expect(mirror().sessions[store.getState().local.selectedSessionId ?? '']).toBeDefined()
  })

  it('drops a page that was on its way from the old one', async () => {
    const { fake, store, frames, mirror } = await stage()
    const release = fake.hold('messages.page')
    store.actions.selectSession('s-landing')
    restored(fake, 's-landing')
    frames.paint()
    await until(store, () => mirror().sessions['s-landing'] === undefined)
    release()
    await until(store, () => store.getState().local.selectedSessionId === 's-claims')
    await until(store, () => mirror().transcripts['s-claims']?.status === 'ready')
    expect(Object.values(mirror().messages).some((message) => message.sessionId === 's-landing')).toBe(false)
  })

  it('is empty while it is locked, and opens with the right passphrase only', async () => {
    const { fake, store, frames, mirror } = await stage({ locked: 'four plain words here' })
    expect(mirror().sessions).toEqual({})
    expect(fake.calls.map((call) => call.method)).toEqual(['snapshot'])
    expect((await store.actions.unlock('wrong'))?.code).toBe('unauthenticated')
    expect(mirror().desktop.locked).toBe(true)
    expect(await store.actions.unlock('four plain words here')).toBeNull()
    frames.paint()
    await until(store, () => mirror().transcripts['s-claims']?.status === 'ready')
    expect(mirror().desktop.locked).toBe(false)
    expect(store.getState().local.notes).toEqual([])
  })
})

describe('the outbox', () => {
  it('lists what waits in every session, and follows it to its end', async () => {
    const { fake, store, frames, mirror } = await stage()
    fake.goOffline()
    frames.paint()
    for (const id of ['s-landing', 's-archive']) {
      store.actions.setDraft(id, cutOver)
      await store.actions.ask({ box: id, sessionId: id })
    }
    frames.paint()
    expect(mirror().outbox?.map((message) => message.sessionId)).toEqual(['s-landing', 's-archive'])
    await store.actions.cancel(mirror().outbox?.[0]?.id ?? '')
    frames.paint()
    expect(mirror().outbox?.map((message) => message.sessionId)).toEqual(['s-archive'])
    fake.goOnline()
    frames.paint()
    fake.advance(10_000)
    frames.paint()
    expect(mirror().outbox).toEqual([])
  })

  it('asks anew what had begun to be answered, and lets the old question go', async () => {
    const { fake, store } = await stage()
    fake.failNext('outbox.sendNow', new CopilotError('conflict', 'This question has ended. Ask it again instead.'))
    await store.actions.sendAgain('s-claims-q7')
    expect(fake.calls.filter((call) => call.method === 'turn.again')).toMatchObject([{ input: { messageId: 's-claims-q7' } }])
    expect(fake.calls.filter((call) => call.method === 'outbox.cancel')).toEqual([{ method: 'outbox.cancel', input: { messageId: 's-claims-q7' } }])
    fake.failNext('outbox.sendNow', new CopilotError('unavailable', 'The disk is full.'))
    await store.actions.sendAgain('s-claims-q7')
    expect(store.getState().local.notes.map((note) => note.text)).toEqual(['The disk is full.'])
    expect(fake.calls.filter((call) => call.method === 'turn.again')).toHaveLength(1)
  })

  it('is not put back by a list that was read before something changed', async () => {
    const { fake, store, frames, mirror } = await stage()
    fake.goOffline()
    store.actions.setDraft('s-claims', cutOver)
    await store.actions.ask({ box: 's-claims', sessionId: 's-claims' })
    frames.paint()
    const id = mirror().outbox?.[0]?.id ?? ''
    const release = fake.hold('outbox.list')
    const reading = store.actions.loadOutbox()
    await store.actions.cancel(id)
    frames.paint()
    release()
    await reading
    expect(mirror().outbox).toEqual([])
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
