// Who answered, what it cost, how long it took.
import type { ReactNode } from 'react'
import type { Usage } from '../../../shared/turn.ts'
import { formatCost, formatDuration, formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Facts, type Fact } from '../../ui/Facts.tsx'

export function AnswerFacts({ usage }: { readonly usage: Usage }): ReactNode {
  const words = text.answer
  const tokens = words.tokensInOut(formatInteger(usage.inputTokens), formatInteger(usage.outputTokens))
  const facts: Fact[] = [
    [words.provider, usage.provider],
    [words.model, usage.model],
    [words.cost, formatCost(usage.costMicros)],
    [words.tokens, usage.cachedTokens === 0 ? tokens : `${tokens}, ${words.tokensCached(formatInteger(usage.cachedTokens))}`],
    [words.firstText, formatDuration(usage.firstTextMs)],
    [words.total, formatDuration(usage.totalMs)],
    ...(usage.failovers === 0 ? [] : [[words.failovers, formatInteger(usage.failovers)] as const])
  ]
  return <Facts facts={facts} />
}
