import { describe, expect, it } from 'vitest'
import { createFakeCore, type FakeCore } from '../../../test/fakes/core.ts'
import { createFakeCare } from '../../../test/fakes/historyCare.ts'

const call = async (core: FakeCore, method: string, input: unknown): Promise<unknown> => {
  const answer = await core.desktop.router.call(method, input)
  if (answer.ok) return answer.value
  throw new Error(`${answer.error.code}: ${answer.error.message}`)
}
const slices = (core: FakeCore): string[] => core.pushes.flatMap((push) => push.deltas).map((delta) => delta.slice)

describe('a locked history', () => {
  it('shows an empty desktop that says so, and after the passphrase windows ask anew', async () => {
    const care = createFakeCare()
    const core = await createFakeCore({ care })
    care.lock('secret')
    expect(await core.desktop.snapshot()).toMatchObject({ sessions: [], waiting: 0, drafts: {}, desktop: { locked: true, keyStorage: 'passphrase' } })
    await expect(call(core, 'history.setPassphrase', { current: null, next: 'x' })).rejects.toThrow('Unlock the history first')
    await expect(call(core, 'history.backup', { passphrase: null })).rejects.toThrow('Unlock the history first')
    await expect(call(core, 'history.unlock', { passphrase: 'guess' })).rejects.toThrow('unauthenticated')
    await call(core, 'history.unlock', { passphrase: 'secret' })
    await core.until(() => slices(core).includes('history-replaced'))
    expect((await core.desktop.snapshot()).sessions).toHaveLength(1)
    await core.desktop.stop()
  })
})

describe('unsent text', () => {
  it('is in the snapshot, the newest of each place, and gone when its question is accepted', async () => {
    const core = await createFakeCore()
    core.link.become('offline')
    const turnId = core.turnId()
    await Promise.all(['w', 'wh', 'what'].map((text) => call(core, 'drafts.keep', { key: core.session.id, text, turnId })))
    expect((await core.desktop.snapshot()).drafts).toEqual({ [core.session.id]: { text: 'what', turnId } })
    await call(core, 'turn.ask', { turnId, sessionId: core.session.id, text: 'what' })
    expect((await core.desktop.snapshot()).drafts).toEqual({})
    await core.desktop.stop()
  })
})

describe('a purge', () => {
  it('ends what is being asked first, removes, renews the copies, and tells windows to forget', async () => {
    const care = createFakeCare()
    const core = await createFakeCore({ care })
    core.link.become('offline')
    await call(core, 'turn.ask', { turnId: core.turnId(), sessionId: core.session.id, text: 'secret plans' })
    expect(await call(core, 'history.purgePreview', { sessionId: core.session.id })).toEqual({ sessions: 1, messages: 1 })
    expect(await call(core, 'history.purge', { sessionId: core.session.id })).toEqual({ sessions: 1, messages: 1 })
    expect(await core.history.outbox()).toEqual([])
    expect(care.asked).toContain('renewCopies')
    await core.until(() => slices(core).includes('history-replaced'))
    expect((await core.desktop.snapshot()).jobs).toMatchObject([{ kind: 'purge', state: 'done' }])
    await expect(call(core, 'history.purge', {})).rejects.toThrow('Say what shall be purged')
    await core.desktop.stop()
  })
})

describe('a copy', () => {
  it('is made and taken back through files that the person chooses, and not without one', async () => {
    const care = createFakeCare()
    const core = await createFakeCore({ care, file: (to) => (to === 'save' ? '/somewhere/mine.aside-backup' : '/elsewhere/other.aside-backup') })
    expect(await call(core, 'history.backup', { passphrase: null })).toEqual({ fileName: 'mine.aside-backup', sizeBytes: 12 })
    expect(await call(core, 'history.restore', { passphrase: 'x' })).toEqual({ sessions: 1, messages: 2 })
    expect(care.asked).toEqual(['backup /somewhere/mine.aside-backup', 'restore /elsewhere/other.aside-backup'])
    await core.desktop.stop()
    const without = await createFakeCore()
    expect(await call(without, 'history.backup', { passphrase: null })).toBeNull()
    await without.desktop.stop()
  })
})

it('tells how the history is, with its rules', async () => {
  const core = await createFakeCore()
  expect(await call(core, 'history.setRetention', { clientName: 'Acme', days: 30 })).toMatchObject({
    sessions: 1,
    keyStorage: 'vault',
    lastBackupAt: null,
    retention: [{ clientName: 'Acme', days: 30 }]
  })
  await core.desktop.stop()
})
