import { describe, expect, it } from 'vitest'
import { highestRole, may, permissions, requirePermission, roles } from './permissions.ts'

describe('permissions', () => {
  it('are granted as the table says', () => {
    const table = Object.fromEntries(roles.map((role) => [role, permissions.filter((permission) => may({ role }, permission))]))
    expect(table).toEqual({
      user: ['ask'],
      service: ['ask', 'metrics.read'],
      manager: ['ask', 'usage.read-all', 'metrics.read', 'budget.override', 'knowledge.manage', 'decision.review'],
      admin: [
        'ask',
        'usage.read-all',
        'audit.read',
        'metrics.read',
        'budget.override',
        'person.erase-any',
        'knowledge.manage',
        'decision.review',
        'decision.model'
      ]
    })
  })

  it('treat a role that nobody knows as a user, also names of object members', () => {
    for (const role of ['root', '', 'Admin', 'constructor', '__proto__']) {
      expect(permissions.filter((permission) => may({ role }, permission))).toEqual(['ask'])
    }
    expect(highestRole(['user', 'manager', 'root'])).toBe('manager')
    expect(highestRole([])).toBe('user')
    expect(() => requirePermission({ role: 'user' }, 'audit.read')).toThrow(expect.objectContaining({ code: 'forbidden' }))
  })
})
