// A backup is asked for when there is something to lose and the last one is old.
import { expect, it } from 'vitest'
import { backupReminder } from './reminder.ts'

const DAY_MS = 86_400_000

it('says nothing while there is little, or the backup is fresh', () => {
  expect(backupReminder({ messages: 3, lastBackupAt: null }, 0)).toBeNull()
  expect(backupReminder({ messages: 900, lastBackupAt: 0 }, 13 * DAY_MS)).toBeNull()
})

it('tells that there is none, or how old it is', () => {
  expect(backupReminder({ messages: 900, lastBackupAt: null }, 0)).toBe('never')
  expect(backupReminder({ messages: 900, lastBackupAt: 0 }, 20.5 * DAY_MS)).toBe(20)
})
