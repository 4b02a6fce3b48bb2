// Costs by client, session, model or provider: the largest first, each with its share as a bar.
import type { ReactNode } from 'react'
import type { UsageGroup } from '../../../shared/domain.ts'
import { formatCompact, formatCost, formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'

const SHOWN = 12

export function GroupTable({
  title,
  groups,
  unnamed
}: {
  readonly title: string
  readonly groups: readonly UsageGroup[]
  readonly unnamed: string
}): ReactNode {
  if (groups.length === 0) return null
  const free = groups.every((group) => group.totals.costMicros === 0)
  const weight = (group: UsageGroup): number => (free ? group.totals.turns : group.totals.costMicros)
  const sorted = [...groups].sort((a, b) => weight(b) - weight(a)).slice(0, SHOWN)
  const most = Math.max(1, ...sorted.map(weight))
  return (
    <section className="usage-block">
      <h2>{title}</h2>
      <table className="table num">
        <thead>
          <tr>
            <th scope="col">
              <span className="sr-only">{title}</span>
            </th>
            <th scope="col">{text.usage.cost}</th>
            <th scope="col">{text.usage.turns}</th>
            <th scope="col">{text.usage.tokens}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((group) => (
            <tr key={group.key}>
              <th scope="row">
                <span className="share" style={{ inlineSize: `${(weight(group) / most) * 100}%` }} aria-hidden="true" />
                <span className="share-name">{group.label === '' ? unnamed : group.label}</span>
              </th>
              <td>{formatCost(group.totals.costMicros)}</td>
              <td>{formatInteger(group.totals.turns)}</td>
              <td>{formatCompact(group.totals.inputTokens + group.totals.outputTokens)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
