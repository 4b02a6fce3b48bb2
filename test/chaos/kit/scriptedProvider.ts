// A model that answers from a script, at once, and keeps a journal of what it was asked: who was answered twice shows there.
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { modelFacts } from '../../../src/service/providers/models.ts'
import type { Provider } from '../../../src/service/providers/provider.ts'
import { answerTo, lengthWanted } from './answers.ts'

export type JournalLine = { readonly what: 'boot' } | { readonly what: 'start' | 'finish'; readonly question: string }

/** A pause after so many pieces, so that an answer takes long enough to be met in its middle. */
const PIECES_AT_ONCE = 6
const PAUSE_MS = 2

/** @param journal a file that is only appended to; a killed process loses nothing of it. */
export function createScriptedProvider(journal: string): Provider {
  const write = (line: JournalLine): void => appendFileSync(journal, `${JSON.stringify(line)}\n`)
  write({ what: 'boot' })
  return {
    id: 'scripted',
    name: 'The script',
    kind: 'model',
    ready: () => Promise.resolve(true),
    model: () => 'scripted-1',
    profile: () => ({ ...modelFacts('scripted-1'), model: 'scripted-1', priceKey: null, timeouts: { firstTextMs: 30_000, betweenTextMs: 30_000 } }),
    probe: () => Promise.resolve(),
    async *stream({ question }, signal) {
      write({ what: 'start', question })
      const pieces = answerTo(question, lengthWanted(question))
      for (const [index, text] of pieces.entries()) {
        if (index % PIECES_AT_ONCE === 0) await pause(PAUSE_MS, undefined, { signal })
        yield { type: 'text', text }
      }
      yield { type: 'usage', inputTokens: question.length, outputTokens: pieces.length, cachedTokens: 0 }
      write({ what: 'finish', question })
      yield { type: 'finish', reason: 'stop' }
    }
  }
}

export function readJournal(journal: string): JournalLine[] {
  const lines = readFileSync(journal, 'utf8').split('\n')
  // A process that dies while it writes leaves at most a torn last line.
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as JournalLine)
}
