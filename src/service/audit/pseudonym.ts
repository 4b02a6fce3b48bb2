// A name for the audit log from which the person can't be read.
import { createHash } from 'node:crypto'

export function pseudonymOf(userId: string): string {
  return `sha256:${createHash('sha256').update(userId).digest('hex').slice(0, 32)}`
}
