// What is asked in the search benchmark: rare and very common words, one to three of them, phrases as they stand in messages
// and as they don't, beginnings of words, filters. The same seed gives the same questions to everybody who is measured.
import type { SearchQuery } from '../src/shared/domain.ts'
import { randomFrom, type Corpus } from './corpus.ts'
import { clientOf, CLIENTS, sessionIdOf, timeOf } from './historyBuild.ts'

export type Asked = Pick<SearchQuery, 'text' | 'sessionId' | 'clientName' | 'role' | 'from' | 'to'>

export interface QuestionOptions {
  readonly corpus: Corpus
  readonly messages: number
  /** Texts that are in the history. */
  readonly samples: readonly string[]
  readonly perKind: number
}

const MONTH_MS = 30 * 86_400_000

const quoted = (...words: readonly string[]): string => `"${words.join(' ')}"`

/** Lists of questions by kind. */
export function questionsOf({ corpus, messages, samples, perKind }: QuestionOptions): Readonly<Record<string, readonly Asked[]>> {
  const random = randomFrom(99)
  const below = (limit: number): number => Math.floor(random() * limit)
  const word = (from: number, to: number): string => corpus.vocabulary[from + below(to - from)] ?? ''
  const common = (): string => word(0, 40)
  const usual = (): string => word(100, 2_100)
  const rare = (): string => word(20_000, 50_000)
  const fromText = (length: number): string => {
    const words = (samples[below(samples.length)] ?? '').split(' ')
    const at = below(Math.max(1, words.length - length))
    return quoted(...words.slice(at, at + length))
  }
  const begun = (length: number): string => usual().padEnd(length, 'e').slice(0, length)
  const kinds: Readonly<Record<string, () => Asked>> = {
    'one common word': () => ({ text: `${common()} ` }),
    'one usual word': () => ({ text: `${usual()} ` }),
    'one rare word': () => ({ text: `${rare()} ` }),
    'no such word': () => ({ text: 'zzqqxx ' }),
    'two common': () => ({ text: `${common()} ${common()} ` }),
    'two usual': () => ({ text: `${usual()} ${usual()} ` }),
    'common and rare': () => ({ text: `${common()} ${rare()} ` }),
    'three common': () => ({ text: `${common()} ${common()} ${common()} ` }),
    'three usual': () => ({ text: `${usual()} ${usual()} ${usual()} ` }),
    'phrase of two, from a text': () => ({ text: fromText(2) }),
    'phrase of three, from a text': () => ({ text: fromText(3) }),
    'phrase of two common': () => ({ text: quoted(common(), common()) }),
    'phrase of three common': () => ({ text: quoted(common(), common(), common()) }),
    'phrase of two frequent': () => ({ text: quoted(word(31, 100), word(31, 100)) }),
    'prefix of 2': () => ({ text: begun(2) }),
    'prefix of 3': () => ({ text: begun(3) }),
    'prefix of 4': () => ({ text: begun(4) }),
    'prefix of 5': () => ({ text: begun(5) }),
    'prefix of 6': () => ({ text: begun(6) }),
    'usual and prefix of 3': () => ({ text: `${usual()} ${begun(3)}` }),
    'two usual and prefix of 4': () => ({ text: `${usual()} ${usual()} ${begun(4)}` }),
    'in a session': () => ({ text: `${usual()} `, sessionId: sessionIdOf(1 + below(messages / 200)) }),
    'of a client': () => ({ text: `${usual()} `, clientName: clientOf(below(CLIENTS)) }),
    'answers only': () => ({ text: `${common()} `, role: 'assistant' }),
    'an old month': () => {
      const from = timeOf(1 + below(messages), messages)
      return { text: `${usual()} `, from, to: from + MONTH_MS }
    }
  }
  return Object.fromEntries(Object.entries(kinds).map(([kind, next]) => [kind, Array.from({ length: perKind }, next)]))
}

/** What a person types letter by letter: a few words that stand in one message, the second half of them quoted. */
export function typedTexts(samples: readonly string[], count: number): string[] {
  const random = randomFrom(7)
  return Array.from({ length: count }, (_, index) => {
    const words = (samples[Math.floor(random() * samples.length)] ?? '').split(' ')
    const at = Math.floor(random() * Math.max(1, words.length - 3))
    const text = words.slice(at, at + 2 + (index % 2)).join(' ')
    return index % 4 === 3 ? `"${text}` : text
  })
}
