// When a person is reminded of a backup: gently, in one place, and not before there is something to lose. Pure.
import type { HistoryStatus } from '../../../shared/domain.ts'

const DAY_MS = 86_400_000
const OLD_DAYS = 14
const WORTH_MESSAGES = 20

/** `never`, the age of the last backup in days, or null: nothing to say. */
export function backupReminder(status: Pick<HistoryStatus, 'messages' | 'lastBackupAt'>, now: number): 'never' | number | null {
  if (status.messages < WORTH_MESSAGES) return null
  if (status.lastBackupAt === null) return 'never'
  const days = Math.floor((now - status.lastBackupAt) / DAY_MS)
  return days >= OLD_DAYS ? days : null
}
