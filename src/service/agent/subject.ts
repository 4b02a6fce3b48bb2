// What a question is about, where the question itself only points: "summarise", "and the cost?", "why is that?". Pure.
import type { Question } from '../../shared/turn.ts'
import { conceptsOf } from '../knowledge/words.ts'
import type { ConversationMessage } from '../providers/provider.ts'

/** Questions that conceptual cost talk is in, though they name things that have a price. */
const notASum =
  /\b(reduc\w*|lower\w*|sav(e|es|ing|ings)|optimi[sz]\w*|cut|control\w*|avoid\w*|levers?|drivers?|strateg\w*|trade-?offs?|best practices?|govern\w*)\b/i

/** Whether a question about money can want a sum, and not advice. */
export function wantsSum(text: string): boolean {
  return !notASum.test(text)
}

/** Words that only point back at what was said. */
const pointing =
  /^(it|its|that|this|these|those|they|them|one|ones|former|latter|same|cost|costs|price|number|figure|practice|practices|summarise|summarize|summary|clarify|counter|argument|meeting|session|conversation)$/

/** The text to search with: the question, and the last thing said before it where it says too little by itself. */
export function subjectOf(question: Pick<Question, 'text'>, history: readonly ConversationMessage[]): string {
  const last = history.findLast((message) => message.role === 'user')?.text
  if (last === undefined) return question.text
  const own = conceptsOf(question.text).filter(({ forms: [said = ''] }) => !pointing.test(said))
  if (own.length >= 2) return question.text
  const refersBack =
    own.length === 0 || /^(and|what about|how about|why|also|same)\b|\b(it|its|that|this|they|them|those|these)\b/i.test(question.text)
  return refersBack ? `${question.text}\n${last}` : question.text
}
