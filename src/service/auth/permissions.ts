// Who may do what. Roles are few and fixed; a role that a token names and nobody knows counts as `user`.
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from './caller.ts'

export const roles = ['user', 'manager', 'admin', 'service'] as const
export type Role = (typeof roles)[number]

export const permissions = [
  'ask',
  'usage.read-all',
  'audit.read',
  'metrics.read',
  'budget.override',
  'person.erase-any',
  'knowledge.manage',
  'decision.review',
  'decision.model'
] as const
export type Permission = (typeof permissions)[number]

const granted: Readonly<Record<Role, readonly Permission[]>> = {
  user: ['ask'],
  // Another service: asks as itself and sees what it asked itself.
  service: ['ask', 'metrics.read'],
  manager: ['ask', 'usage.read-all', 'metrics.read', 'budget.override', 'knowledge.manage', 'decision.review'],
  admin: permissions
}

export function roleOf(name: string): Role {
  return roles.find((role) => role === name) ?? 'user'
}

/** Of several roles the one that may do most. */
export function highestRole(names: readonly string[]): Role {
  return (['admin', 'manager', 'service'] as const).find((role) => names.includes(role)) ?? 'user'
}

export function may(caller: Pick<Caller, 'role'>, permission: Permission): boolean {
  return granted[roleOf(caller.role)].includes(permission)
}

/** Throws `forbidden`. */
export function requirePermission(caller: Pick<Caller, 'role'>, permission: Permission): void {
  if (!may(caller, permission)) {
    throw new CopilotError('forbidden', 'Your role does not allow this. Ask an administrator of the service.', { details: { permission } })
  }
}
