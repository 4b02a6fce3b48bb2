// Third step of the graph: the answer, streamed. Tokens go straight to the turn by `emit`, past the graph; what the filter lets
// through is what was said.
import type { FinishReason, Question } from '../../shared/turn.ts'
import type { Orchestrator, Outcome, Reuse } from '../orchestrator/orchestrator.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { clientOf } from './clientOf.ts'
import { createOutputFilter } from '../safety/outputFilter.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import { createCitationScan } from './citations.ts'

/** In a question's context: `similar` takes an answer to nearly the same words, `none` wants a fresh one. */
const REUSE = 'answer_reuse'

/** What was said, also where it broke off: then with why. */
export interface Reply {
  readonly text: string
  readonly result: { readonly finish: FinishReason } | { readonly error: unknown }
}

export interface RespondInput {
  readonly turn: AgentTurn
  readonly request: ProviderRequest
  readonly organisation: string | null
  /** Makes what was said durable; absent: nobody has to remember it. Not called for an answer without text. */
  readonly keep?: (text: string) => Promise<void>
}

/** Rejects only where what was said can't be kept: any other failure is part of the reply, because what was read before it must be. */
export async function respond(
  orchestrator: Orchestrator,
  { turn, request, organisation, keep }: RespondInput,
  options: AnswerOptions
): Promise<Reply> {
  const { signal, emit, ending } = options
  const { turnId, userId, question } = turn
  const filter = createOutputFilter()
  const scan = createCitationScan()
  let text = ''
  const show = (piece: string): void => {
    if (piece === '') return
    emit({ type: 'delta', text: piece })
    text += piece
    for (const n of scan.next(piece)) {
      const source = request.material.sources[n - 1]
      if (source !== undefined) emit({ type: 'citation', ...source })
    }
  }
  let kept: Promise<void> | null = null
  /** All that was said, once: beside the cost of the answer where that is put on record, else afterwards. */
  const keepAll = async (): Promise<void> => {
    show(filter.end())
    if (text !== '') await (kept ??= keep?.(text) ?? Promise.resolve())
  }
  let concluded: Promise<void> | null = null
  /** The end of a complete answer, once. With an `ending` it is told while what belongs to it is on its way to the disk, else afterwards. */
  const conclude = (outcome: Outcome): Promise<void> => (concluded ??= concludeNow(outcome))
  const concludeNow = async ({ finish, usage }: Outcome): Promise<void> => {
    const keeping = keepAll()
    if (ending === undefined) await keeping
    if (filter.removed.length > 0) {
      emit({ type: 'notice', kind: 'masked', text: `Left out of the answer: ${[...new Set(filter.removed)].join(', ')}.` })
    }
    emit({ type: 'usage', ...usage })
    ending?.tell(finish)
    await keeping
  }
  const answered = async (): Promise<Outcome> => {
    signal.throwIfAborted()
    emit({ type: 'status', stage: 'Answering' })
    return await orchestrator.answer(request, {
      signal,
      asker: { turnId, userId, organisation: organisation ?? '', client: clientOf(question) },
      reuse: reuseOf(question),
      alongside: ending === undefined ? keepAll : conclude,
      bond: ending?.bond,
      emit: (event) => (event.type === 'delta' ? show(filter.next(event.text)) : emit(event))
    })
  }
  try {
    const outcome = await answered()
    await conclude(outcome)
    return { text, result: { finish: outcome.finish } }
  } catch (error) {
    await keepAll()
    return { text, result: { error } }
  }
}

function reuseOf({ sessionId, context }: Question): Reuse {
  const { [REUSE]: wish, ...rest } = context
  return { sessionId, context: rest, mode: wish === 'similar' || wish === 'none' ? wish : 'exact' }
}
