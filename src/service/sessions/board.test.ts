// What becomes of messages is heard in every process, as it was said.
import { describe, expect, it } from 'vitest'
import { linkedFanouts } from '../../../test/fakes/fanout.ts'
import { CopilotError } from '../../shared/errors.ts'
import { createBoard, type Answer, type Board, type DeskEvent } from './board.ts'

const key = { userId: 'anna', kind: 'thread', sessionId: 's1' } as const
const owner = { userId: 'anna', kind: 'thread' } as const
const answer: Answer = {
  ...key,
  messageId: 'a1',
  role: 'assistant',
  content: 'Ünicode 🚢\n"quoted"',
  createdAt: 5,
  state: 'unread',
  answer: { replyTo: 'm1', model: null, support: 0.5, processingMs: 7 }
}
const busy = new CopilotError('rate_limited', 'Wait.', { retryAfterMs: 900, details: { field: 'x' } })
const events: readonly DeskEvent[] = [
  { key, replyTo: 'm1', type: 'answering', messageId: 'a1' },
  { key, replyTo: 'm1', type: 'stage', messageId: 'a1', stage: 'search', progress: 40 },
  { key, replyTo: 'm1', type: 'piece', messageId: 'a1', text: 'Ü' },
  { key, replyTo: 'm1', type: 'waiting', error: busy },
  { key, replyTo: 'm1', type: 'failed', error: new CopilotError('refused', 'No.') },
  { key, replyTo: 'm1', type: 'answered', answer }
]

function ear(board: Board, who: Parameters<Board['listen']>[0] = owner) {
  const heard: DeskEvent[] = []
  let missed = 0
  const end = board.listen(who, { tell: (event) => void heard.push(event), missed: () => void (missed += 1) })
  return {
    heard,
    end,
    get missed() {
      return missed
    }
  }
}

describe('the board', () => {
  it('says every kind of event alike in the process where it happens and in the others, to the owner’s listeners alone', () => {
    const [first, second] = linkedFanouts(2).map(createBoard)
    const [here, there, others] = [ear(first as Board), ear(second as Board), ear(second as Board, { ...owner, kind: 'consultant' })]
    for (const event of events) first?.tell(event)
    expect(here.heard).toEqual(events)
    expect(there.heard).toEqual(events)
    const [, , , waiting] = there.heard
    expect(waiting?.type === 'waiting' && waiting.error).toBeInstanceOf(CopilotError)
    expect(waiting?.type === 'waiting' && waiting.error.toWire()).toEqual(busy.toWire())
    expect(others.heard).toEqual([])
  })

  it('says nothing of a question to the others than whose message it is', () => {
    const [here, there] = linkedFanouts(2)
    const said: string[] = []
    there?.subscribe(JSON.stringify(['desk', 'anna', 'thread']), { heard: (text) => void said.push(text), missed: () => undefined })
    const pending = { ...key, question: { text: 'secret words' }, caller: { token: 'secret' } }
    if (here !== undefined) createBoard(here).tell({ key: pending, replyTo: 'm1', type: 'answering', messageId: 'a1' })
    expect(said).toHaveLength(1)
    expect(said[0]).not.toContain('secret')
  })

  it('tells listeners when something may have been missed, also what another version said', () => {
    const [here, there] = linkedFanouts(2)
    if (here === undefined || there === undefined) throw new Error('no fan-outs')
    const listening = ear(createBoard(there))
    there.miss()
    here.publish(JSON.stringify(['desk', 'anna', 'thread']), JSON.stringify({ type: 'sung', key }))
    here.publish(JSON.stringify(['desk', 'anna', 'thread']), JSON.stringify({ type: 'failed', key, error: { code: 'new_code', message: 'x' } }))
    expect([listening.missed, listening.heard]).toEqual([3, []])
  })

  it('listens to the others only while somebody listens here', () => {
    const [fanout] = linkedFanouts(1)
    if (fanout === undefined) throw new Error('no fan-out')
    const board = createBoard(fanout)
    const [one, two] = [ear(board), ear(board)]
    expect(fanout.channels).toHaveLength(1)
    one.end()
    one.end()
    expect(fanout.channels).toHaveLength(1)
    two.end()
    expect(fanout.channels).toEqual([])
    const again = ear(board)
    for (const event of events) board.tell(event)
    expect([again.heard.length, one.heard.length, fanout.channels.length]).toEqual([events.length, 0, 1])
  })
})
