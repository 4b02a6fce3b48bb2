// The product's mark: a page's margin, and the remark in it.
import type { ReactNode } from 'react'

export function Mark({ size }: { readonly size: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="var(--accent)" />
      <rect x="9.2" y="5" width="1.7" height="14" rx="0.85" fill="var(--on-accent)" opacity="0.55" />
      <circle cx="5.7" cy="9.2" r="1.9" fill="var(--on-accent)" />
      <rect x="13.2" y="8.2" width="6.2" height="2" rx="1" fill="var(--on-accent)" />
      <rect x="13.2" y="13" width="4.2" height="2" rx="1" fill="var(--on-accent)" />
    </svg>
  )
}
