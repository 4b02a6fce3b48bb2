// Answers without any language model: sentences from the knowledge base with their citations, exact costs, and a plain
// word when there is nothing. It never pretends to have thought.
import { setTimeout as pause } from 'node:timers/promises'
import { CopilotError } from '../../shared/errors.ts'
import type { QuickAction } from '../../shared/turn.ts'
import { blocksOf, extract } from './extract.ts'
import { noModel } from './models.ts'
import type { ConversationMessage, Provider, ProviderProfile, ProviderRequest } from './provider.ts'

export const NOTHING_FOUND = 'The knowledge base has nothing on this.'

const MODEL = 'built-in knowledge'

/** Why a quick action can only be done in part here. */
const needsModel: Readonly<Partial<Record<QuickAction, string>>> = {
  clarify: 'Rewording needs a language model, and none was asked. What the knowledge base says about it:',
  counter: 'Arguing the other side needs a language model, and none was asked. What the knowledge base says about it:',
  'check-number': 'Judging a figure needs a language model, and none was asked. What the knowledge base says about it, to compare:'
}

/**
 * Between two pieces, in ms: a bit more than a frame, so that an answer unfolds where the eye reads instead of jumping
 * into place. The first piece never waits.
 */
const PIECE_EVERY_MS = 24
const profile: ProviderProfile = { ...noModel, model: MODEL, priceKey: null, timeouts: { firstTextMs: 1_000, betweenTextMs: 1_000 } }

export function createLocalKnowledge(pieceEveryMs = PIECE_EVERY_MS): Provider {
  return {
    id: 'local',
    name: 'Built-in knowledge',
    kind: 'local',
    ready: () => Promise.resolve(true),
    model: () => MODEL,
    profile: () => profile,
    probe: () => Promise.resolve(),
    async *stream(request, signal) {
      for (const [index, piece] of pieces(answer(request)).entries()) {
        if (index > 0 && request.delivery !== 'whole') await pause(pieceEveryMs)
        if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
        yield { type: 'text', text: piece }
      }
      yield { type: 'finish', reason: 'stop' }
    }
  }
}

/** The whole answer as Markdown. Exported for tests. */
export function answer({ quickAction, history, material }: ProviderRequest): string {
  if (quickAction === 'summarise') return summary(history)
  const { estimate } = material
  const found = fromPassages(material)
  if (quickAction === 'cost' && estimate.length === 0) {
    const help = 'To compute a cost, name what is used, how much of it, where and for how long: “3 m7i.large in us-east-1 for a month”.'
    return found === null ? help : `${help}\n\n${found}`
  }
  if (estimate.length > 0) return [...estimate, ...(found === null || standsAlone(estimate) ? [] : [found])].join('\n\n')
  if (found === null) return NOTHING_FOUND
  const preface = quickAction === undefined ? undefined : needsModel[quickAction]
  return preface === undefined ? found : `${preface}\n\n${found}`
}

/** A computed sum opens with it in bold, and where nothing could be priced there is no table: nothing needs to be added to either. */
function standsAlone(estimate: readonly string[]): boolean {
  return !(estimate[0]?.startsWith('|') ?? false)
}

function fromPassages({ passages, terms }: ProviderRequest['material']): string | null {
  const { lead, table, points } = extract(passages, terms)
  if (lead === null) return null
  const blocks = [`${lead.text} [${lead.n}]`]
  if (table !== null) blocks.push(`${table.text}\n\nThis table is from [${table.n}].`)
  if (points.length > 0) blocks.push(points.map((point) => `- ${point.text} [${point.n}]`).join('\n'))
  return blocks.join('\n\n')
}

const MOST_EXCHANGES = 8
const LONGEST_LINE = 200

/** What was asked, each with the first sentence of what was answered. */
function summary(history: readonly ConversationMessage[]): string {
  const exchanges: string[] = []
  for (const [index, message] of history.entries()) {
    if (message.role !== 'user') continue
    const reply = history[index + 1]
    const answered = reply?.role === 'assistant' ? ` — ${firstLine(reply.text)}` : ''
    exchanges.push(`- ${firstLine(message.text)}${answered}`)
  }
  if (exchanges.length === 0) return 'There is nothing to summarise yet: nothing was asked in this session.'
  const shown = exchanges.slice(-MOST_EXCHANGES)
  const intro = shown.length < exchanges.length ? `The last ${shown.length} questions of this session` : 'Asked in this session so far'
  return `${intro}, each with the first line of its answer (extracted, not reworded):\n\n${shown.join('\n')}`
}

function firstLine(text: string): string {
  const line = blocksOf(text).find((block) => block.kind !== 'table')?.text ?? ''
  // A number would point at a source of the earlier answer.
  const plain = line
    .replace(/\s*\[\d+\]/g, '')
    .replace(/\*\*/g, '')
    .trim()
  return plain.length > LONGEST_LINE ? `${plain.slice(0, LONGEST_LINE).toWellFormed()}…` : plain
}

/** Sentence by sentence with its citation, and line by line; joined they are the text. */
export function pieces(text: string): string[] {
  return text.match(/[^\n]+?(?:[.!?](?: \[\d+\])+(?: |\n+|$)|[.!?] (?!\[)|\n+|$)|\n+/g) ?? []
}
