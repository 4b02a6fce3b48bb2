// What a run must not have done, decided from what the stores say. Pure; `checks.test.ts` plants each fault.
import type { JournalLine } from './scriptedProvider.ts'

/** A question that the asker saw accepted. */
export interface AskedQuestion {
  readonly turnId: string
  readonly sessionId: string
  /** Different for every question of a run. */
  readonly text: string
}

export interface Evidence {
  /** In the order in which they were accepted. */
  readonly asked: readonly AskedQuestion[]
  /** The desktop's history. */
  readonly history: {
    /** Messages of the person, in the transcript's order. */
    readonly questions: readonly (AskedQuestion & { readonly delivery: string | null })[]
    readonly answers: readonly { readonly turnId: string; readonly text: string; readonly state: string; readonly lastSeq: number }[]
  }
  /** The service's own store. */
  readonly service: {
    readonly turns: readonly (AskedQuestion & { readonly seqs: readonly number[]; readonly answer: string; readonly lastEvent: string })[]
    /** Its memory of the conversation, in the order in which it was written. */
    readonly memory: readonly { readonly turnId: string; readonly sessionId: string; readonly role: string; readonly text: string }[]
  }
  readonly journal: readonly JournalLine[]
  readonly databases: readonly { readonly name: string; /** null: none. */ readonly problem: string | null }[]
  /** What the run's own rules make of a question: its answer, to the last character. */
  readonly answerTo: (text: string) => string
}

/** Sentences, one for each fault; empty: none. */
export type Faults = readonly string[]

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

/** Accepted, but not in the history, not settled, or without its whole answer. */
export function findLost({ asked, history, service, answerTo }: Evidence): Faults {
  const questions = groupBy(history.questions, ({ turnId }) => turnId)
  const answers = groupBy(history.answers, ({ turnId }) => turnId)
  const turns = groupBy(service.turns, ({ turnId }) => turnId)
  return asked.flatMap(({ turnId, text }) => {
    const question = questions.get(turnId)?.[0]
    if (question === undefined) return [`${turnId} was accepted and is not in the history: “${text}”`]
    if (question.text !== text) return [`${turnId} is in the history with another text: “${question.text}”`]
    if (question.delivery !== 'settled') return [`${turnId} ended as ${question.delivery}: “${text}”`]
    const answer = answers.get(turnId)?.[0]
    if (answer === undefined) return [`${turnId} has no answer: “${text}”`]
    if (answer.state !== 'done') return [`the answer to ${turnId} ended as ${answer.state}`]
    const expected = answerTo(text)
    if (answer.text !== expected) return [`the answer to ${turnId} is not the whole one: ${difference(answer.text, expected)}`]
    const turn = turns.get(turnId)?.[0]
    if (turn === undefined) return [`${turnId} is not in the service's log`]
    if (turn.lastEvent !== 'done') return [`the service's log of ${turnId} ends with ${turn.lastEvent}`]
    return turn.answer === expected ? [] : [`the service's log of ${turnId} is not the whole answer: ${difference(turn.answer, expected)}`]
  })
}

/** Where two texts part, short enough to read. */
export function difference(actual: string, expected: string): string {
  let at = 0
  while (at < actual.length && at < expected.length && actual[at] === expected[at]) at += 1
  const near = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 8), at + 16))
  return `${actual.length} characters instead of ${expected.length}, parting at ${at}: ${near(actual)} instead of ${near(expected)}`
}

function more<T>(items: readonly T[], keyOf: (item: T) => string, where: string): string[] {
  return [...groupBy(items, keyOf)].filter(([, group]) => group.length > 1).map(([key, group]) => `${key}: ${group.length} times ${where}`)
}

/**
 * In a store more than once, by its id or by its text; or answered by the model again although it had been answered in
 * the same life of the service. A service that was killed may ask the model again: nobody had been given the end.
 */
export function findDuplicated({ history, service, journal }: Evidence): Faults {
  const lives: JournalLine[][] = []
  for (const line of journal) {
    if (line.what === 'boot') lives.push([])
    else lives.at(-1)?.push(line)
  }
  const asked = (line: JournalLine): line is Extract<JournalLine, { what: 'start' }> => line.what === 'start'
  return [
    ...more(history.questions, ({ turnId }) => turnId, 'among the questions of the history, by id'),
    ...more(history.questions, ({ text }) => text, 'among the questions of the history, by text'),
    ...more(history.answers, ({ turnId }) => turnId, 'among the answers of the history'),
    ...more(service.turns, ({ turnId }) => turnId, 'in the service’s log, by id'),
    ...more(service.turns, ({ text }) => text, 'in the service’s log, by text'),
    ...more(service.memory, ({ turnId, role }) => `${turnId} (${role})`, 'in the service’s memory'),
    ...more(
      service.memory.filter(({ role }) => role === 'user'),
      ({ text }) => text,
      'in the service’s memory, by text'
    ),
    ...lives.flatMap((life, index) => more(life.filter(asked), ({ question }) => question, `put to the model in life ${index + 1} of the service`))
  ]
}

/** How often a question was put to the model again by a later life of the service. No fault: see `findDuplicated`. */
export function countAskedAgain(journal: readonly JournalLine[]): number {
  const starts = groupBy(
    journal.flatMap((line) => (line.what === 'start' ? [line.question] : [])),
    (question) => question
  )
  return [...starts.values()].reduce((sum, group) => sum + group.length - 1, 0)
}

/** Sessions in which the service took questions in another order than they were accepted in. */
export function findOutOfOrder({ asked, history, service }: Evidence): Faults {
  const taken = service.memory.filter(({ role }) => role === 'user')
  return [...groupBy(asked, ({ sessionId }) => sessionId)].flatMap(([sessionId, questions]) => {
    const order = questions.map(({ turnId }) => turnId)
    const rank = new Map(order.map((turnId, index) => [turnId, index]))
    const inOrder = (where: string, ids: readonly string[]): string[] => {
      const ranks = ids.flatMap((id) => rank.get(id) ?? [])
      const at = ranks.findIndex((value, index) => index > 0 && value < (ranks[index - 1] ?? 0))
      return at < 0 ? [] : [`session ${sessionId}: ${where} ${ids[at]} came after ${ids[at - 1]}, but was accepted before it`]
    }
    const idsOf = (items: readonly { readonly turnId: string; readonly sessionId: string }[]): string[] =>
      items.filter((item) => item.sessionId === sessionId).map(({ turnId }) => turnId)
    return [...inOrder('in the history', idsOf(history.questions)), ...inOrder('at the service', idsOf(taken))]
  })
}

/** Turns whose events have a gap or a repetition at the service, or of which the history has not stored every one. */
export function findUneven({ history, service }: Evidence): Faults {
  const stored = new Map(history.answers.map(({ turnId, lastSeq }) => [turnId, lastSeq]))
  return service.turns.flatMap(({ turnId, seqs }) => {
    const at = seqs.findIndex((seq, index) => seq !== index + 1)
    if (at >= 0) return [`${turnId}: the service's log has ${seqs[at]} where ${at + 1} belongs`]
    const lastSeq = stored.get(turnId)
    return lastSeq === undefined || lastSeq === seqs.length ? [] : [`${turnId}: the history has ${lastSeq} events of ${seqs.length}`]
  })
}

/** What a window was given of a turn by one life of the core. */
export interface Shown {
  readonly life: number
  readonly turnId: string
  readonly from: number
  readonly to: number
}

/** Stretches of events that do not follow on from what the same life of the core had shown of the turn. */
export function findShownUnevenly(shown: readonly Shown[]): Faults {
  return [...groupBy(shown, ({ life, turnId }) => `${turnId} in life ${life} of the core`)].flatMap(([name, stretches]) => {
    const at = stretches.findIndex(({ from }, index) => index > 0 && from !== (stretches[index - 1]?.to ?? 0) + 1)
    return at < 0 ? [] : [`${name}: ${stretches[at]?.from} was shown after ${stretches[at - 1]?.to}`]
  })
}

/** Answers that are not, to the last character, what an uncut run gave to the same question. */
export function findDifferent({ asked, history }: Pick<Evidence, 'asked' | 'history'>, uncut: ReadonlyMap<string, string>): Faults {
  const answers = new Map(history.answers.map((answer) => [answer.turnId, answer]))
  return asked.flatMap(({ turnId, text }) => {
    const answer = answers.get(turnId)
    const expected = uncut.get(text)
    if (expected === undefined) return [`${turnId} has no uncut answer to be compared with`]
    if (answer === undefined) return [`${turnId} has no answer`]
    if (Buffer.from(answer.text).equals(Buffer.from(expected))) return []
    return [`the answer to ${turnId} is another one than without cuts: ${difference(answer.text, expected)}`]
  })
}

export function findDamaged({ databases }: Evidence): Faults {
  return databases.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]))
}
