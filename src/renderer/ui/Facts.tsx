// A short list of names and values.
import type { ReactNode } from 'react'

export type Fact = readonly [name: string, value: string]

export interface FactsProps {
  readonly facts: readonly Fact[]
  /** `facts num`, in columns with figures under each other, when not said. */
  readonly className?: string
}

export function Facts({ facts, className = 'facts num' }: FactsProps): ReactNode {
  return (
    <dl className={className}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
