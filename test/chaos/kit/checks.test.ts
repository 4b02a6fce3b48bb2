// The judges can convict: each fault, planted alone, is found by its own check and by no other.
import { describe, expect, it } from 'vitest'
import {
  countAskedAgain,
  findDamaged,
  findDuplicated,
  findLost,
  findDifferent,
  findOutOfOrder,
  findShownUnevenly,
  findUneven,
  type Evidence
} from './checks.ts'

const answerTo = (text: string): string => `answer to ${text}`
const question = (n: number) => ({ turnId: `t${n}`, sessionId: n % 2 === 0 ? 'even' : 'odd', text: `question ${n}` })
const numbers = [1, 2, 3, 4]

function clean(): Evidence {
  const asked = numbers.map(question)
  return {
    asked,
    history: {
      questions: asked.map((one) => ({ ...one, delivery: 'settled' })),
      answers: asked.map(({ turnId, text }) => ({ turnId, text: answerTo(text), state: 'done', lastSeq: 3 }))
    },
    service: {
      turns: asked.map((one) => ({ ...one, seqs: [1, 2, 3], answer: answerTo(one.text), lastEvent: 'done' })),
      memory: asked.flatMap(({ turnId, sessionId, text }) => [
        { turnId, sessionId, role: 'user', text },
        { turnId, sessionId, role: 'assistant', text: answerTo(text) }
      ])
    },
    journal: [{ what: 'boot' }, ...asked.map(({ text }) => ({ what: 'start', question: text }) as const)],
    databases: [{ name: 'history.db', problem: null }],
    answerTo
  }
}

const verdict = (evidence: Evidence) => ({
  lost: findLost(evidence).length,
  duplicated: findDuplicated(evidence).length,
  outOfOrder: findOutOfOrder(evidence).length,
  damaged: findDamaged(evidence).length,
  uneven: findUneven(evidence).length
})
const innocent = { lost: 0, duplicated: 0, outOfOrder: 0, damaged: 0, uneven: 0 }

/** A copy in which one list was changed. */
function planted(change: (evidence: ReturnType<typeof structuredCloneOf>) => void): Evidence {
  const copy = structuredCloneOf(clean())
  change(copy)
  return { ...copy, answerTo }
}
type Mutable<T> = T extends readonly (infer Item)[] ? Mutable<Item>[] : T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T
function structuredCloneOf(evidence: Evidence): Mutable<Omit<Evidence, 'answerTo'>> {
  const { answerTo: _answerTo, ...rest } = evidence
  return structuredClone(rest) as Mutable<Omit<Evidence, 'answerTo'>>
}

describe('the checks of a chaos run', () => {
  it('find nothing where nothing is wrong', () => {
    expect(verdict(clean())).toEqual(innocent)
    expect(countAskedAgain(clean().journal)).toBe(0)
  })

  it.each<[string, Parameters<typeof planted>[0]]>([
    ['a question that is not in the history', (e) => void e.history.questions.splice(1, 1)],
    ['a question whose text was changed', (e) => void (e.history.questions[1]!.text = 'question 2.')],
    ['a question that still waits', (e) => void (e.history.questions[0]!.delivery = 'waiting')],
    ['a question that failed', (e) => void (e.history.questions[0]!.delivery = 'failed')],
    ['a missing answer', (e) => void e.history.answers.pop()],
    ['half an answer', (e) => void (e.history.answers[2]!.text = 'answer to')],
    ['an answer with a repeated piece', (e) => void (e.history.answers[2]!.text += ' 3')],
    ['an answer that was not ended', (e) => void (e.history.answers[3]!.state = 'answering')],
    ['a turn that the service does not know', (e) => void e.service.turns.splice(2, 1)],
    ['a turn that failed at the service', (e) => void (e.service.turns[2]!.lastEvent = 'failed')],
    ['another answer at the service', (e) => void (e.service.turns[2]!.answer = 'something else')]
  ])('take %s for a loss', (_what, change) => {
    expect(verdict(planted(change))).toEqual({ ...innocent, lost: 1 })
  })

  it.each<[string, Parameters<typeof planted>[0]]>([
    ['a question twice in the history under one text', (e) => void e.history.questions.push({ ...e.history.questions[3]!, turnId: 'other' })],
    ['a second answer', (e) => void e.history.answers.push(e.history.answers[3]!)],
    ['a turn that the service took under two ids', (e) => void e.service.turns.push({ ...e.service.turns[3]!, turnId: 'other' })],
    ['a second answer in the memory', (e) => void e.service.memory.push(e.service.memory[7]!)],
    ['a question that was put to the model twice in one life', (e) => void e.journal.push({ what: 'start', question: 'question 4' })]
  ])('take %s for a duplicate', (_what, change) => {
    expect(verdict(planted(change))).toEqual({ ...innocent, duplicated: 1 })
  })

  it('take a question that a killed service puts to the model again for none, but count it', () => {
    const again = planted((e) => void e.journal.push({ what: 'boot' }, { what: 'start', question: 'question 4' }))
    expect(verdict(again)).toEqual(innocent)
    expect(countAskedAgain(again.journal)).toBe(1)
  })

  it('take two questions of a session that the service took in the wrong order for an inversion', () => {
    const swapped = planted((e) => void (e.service.memory = e.service.memory.toReversed()))
    expect(verdict(swapped)).toEqual({ ...innocent, outOfOrder: 2 })
    // Of different sessions they may overtake each other.
    const crossed = planted((e) => void e.service.memory.splice(0, 4, ...e.service.memory.slice(2, 4), ...e.service.memory.slice(0, 2)))
    expect(verdict(crossed)).toEqual(innocent)
  })

  it('take what a database says of itself for damage', () => {
    expect(verdict(planted((e) => void (e.databases[0]!.problem = 'quick_check: "row 7 missing"')))).toEqual({ ...innocent, damaged: 1 })
  })

  it.each<[string, Parameters<typeof planted>[0]]>([
    ['a gap', (e) => void (e.service.turns[1]!.seqs = [1, 3])],
    ['a repetition', (e) => void (e.service.turns[1]!.seqs = [1, 2, 2])],
    ['an event that the history lacks', (e) => void (e.history.answers[0]!.lastSeq = 2)]
  ])('find %s among the events', (_what, change) => {
    expect(verdict(planted(change))).toEqual({ ...innocent, uneven: 1 })
  })

  it('find what was shown twice or left out within one life of the core, and let a new life begin where it likes', () => {
    const shown = (life: number, from: number, to: number) => ({ life, turnId: 't', from, to })
    expect(findShownUnevenly([shown(1, 2, 5), shown(1, 6, 6), shown(2, 4, 9)])).toEqual([])
    expect(findShownUnevenly([shown(1, 2, 5), shown(1, 5, 6)])).toHaveLength(1)
    expect(findShownUnevenly([shown(1, 2, 5), shown(1, 7, 8)])).toHaveLength(1)
  })

  it('compare answers with the uncut ones by their bytes', () => {
    const { asked, history } = clean()
    const uncut = new Map(asked.map(({ text }) => [text, answerTo(text)]))
    expect(findDifferent({ asked, history }, uncut)).toEqual([])
    // The same letter to the eye, composed otherwise.
    const composed = history.answers.map((answer, index) => (index === 0 ? { ...answer, text: `${answer.text}é` } : answer))
    const decomposed = new Map(uncut).set('question 1', `${answerTo('question 1')}e\u0301`)
    expect(findDifferent({ asked, history: { ...history, answers: composed } }, decomposed)).toHaveLength(1)
    expect(findDifferent({ asked, history: { ...history, answers: history.answers.slice(1) } }, uncut)).toHaveLength(1)
    expect(findDifferent({ asked, history }, new Map())).toHaveLength(4)
  })
})
