// What of the knowledge found may reach a model: passages that speak to it instead of to the reader do not.
import type { Passage } from '../providers/provider.ts'
import { examinePassage, type InjectionReport } from '../safety/injection.ts'

export interface Guarded {
  /** As a model may see them. */
  readonly passages: readonly Passage[]
  readonly attacks: readonly { readonly passage: Passage; readonly rules: readonly string[] }[]
}

export type Safeguard = (passages: readonly Passage[]) => Guarded

/** A passage takes half a millisecond to examine and is found again and again: what was seen is remembered. */
const REMEMBERED_PASSAGES = 2_000

export function createSafeguard(): Safeguard {
  const seen = new Map<string, InjectionReport>()
  const examine = (text: string): InjectionReport => {
    const known = seen.get(text)
    if (known !== undefined) return known
    const report = examinePassage(text)
    if (seen.size >= REMEMBERED_PASSAGES) seen.delete(seen.keys().next().value ?? '')
    seen.set(text, report)
    return report
  }
  return (passages) => {
    const safe: Passage[] = []
    const attacks: Guarded['attacks'][number][] = []
    for (const passage of passages) {
      const text = examine(passage.text)
      const head = examine(`${passage.title}\n${passage.heading}`)
      if (text.isAttack || head.isAttack) attacks.push({ passage, rules: [...new Set([...text.rules, ...head.rules])] })
      else safe.push({ ...passage, text: text.text })
    }
    return { passages: safe, attacks }
  }
}
