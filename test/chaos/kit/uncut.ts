// The same questions, asked over one connection that nobody touches, of a service of its own: what the cut ones are
// compared with.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { createGrpcTransport } from '../../../src/main/link/link.grpc.ts'
import { systemTimers } from '../../../src/main/link/timers.ts'
import { systemClock } from '../../../src/shared/kit/clock.ts'
import { emptyTurn, applyTurnEvent } from '../../../src/shared/turn.ts'
import { LAUNCH_TOKEN, startService } from './processes.ts'

const AT_ONCE = 4

/** The answers by their questions. */
export async function askUncut(questions: readonly string[], folder: string): Promise<ReadonlyMap<string, string>> {
  await mkdir(folder, { recursive: true })
  const service = startService({ desktop: '', service: folder, journal: join(folder, 'journal.jsonl') })
  const { grpc } = await service.ready
  const address = { grpc, http: null, secure: false, embedded: false, token: () => Promise.resolve(LAUNCH_TOKEN) }
  const transport = createGrpcTransport({ address, clock: systemClock, timers: systemTimers })
  const answers = new Map<string, string>()
  const left = [...questions]
  const work = async (): Promise<void> => {
    for (let text = left.pop(); text !== undefined; text = left.pop()) {
      const question = { turnId: newId(), sessionId: newId(), text, context: {} }
      let view = emptyTurn(question.turnId)
      for await (const event of transport.ask(question, { signal: AbortSignal.timeout(30_000) })) view = applyTurnEvent(view, event)
      if (view.state !== 'done') throw new Error(`the uncut run has no answer to “${text}”: ${view.error?.message}`)
      answers.set(text, view.text)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return answers
  } finally {
    await transport.stop()
    await service.kill()
  }
}
