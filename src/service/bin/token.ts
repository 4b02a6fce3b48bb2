// npm run --silent service:token -- --user ID [--role ROLE] [--org ORGANISATION] [--tier TIER] [--ttl 15m]: prints a bearer token of this data folder's service.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { toCopilotError } from '../../shared/errors.ts'
import { isReservedName, isSomebodysOwn } from '../auth/caller.ts'
import { issueToken, type TokenOrder } from '../auth/issuer.ts'
import { signingKeys } from '../auth/keys.ts'
import { roles } from '../auth/permissions.ts'
import { processPlaces } from '../config.ts'
import { durationMs, longestDurationMs } from '../duration.ts'
import { tierNames } from '../limits/limitsPolicy.ts'

const usage = 'Usage: npm run --silent service:token -- --user ID [--role ROLE] [--org ORGANISATION] [--tier TIER] [--ttl 15m]'

class UsageError extends Error {}

function readArguments(): Pick<TokenOrder, 'userId' | 'role' | 'ttlMs' | 'organisation' | 'tier'> {
  const { values } = parseArgs({
    options: {
      user: { type: 'string' },
      role: { type: 'string', default: 'user' },
      org: { type: 'string' },
      tier: { type: 'string' },
      ttl: { type: 'string', default: '15m' }
    }
  })
  const { user = '', role, org, tier, ttl } = values
  if (!isName(user)) throw new UsageError('--user needs an id of 1 to 128 characters.')
  if (isReservedName(user)) throw new UsageError('--user is a name that the service keeps for itself; take another.')
  if (!isOneOf(roles, role)) throw new UsageError(`--role is one of ${roles.join(', ')}.`)
  if (org !== undefined && isSomebodysOwn(org)) throw new UsageError('--org is a name that the service keeps for one person; take another.')
  if (org !== undefined && !isName(org)) throw new UsageError('--org needs a name of 1 to 128 characters.')
  if (tier !== undefined && !isOneOf(tierNames, tier.toUpperCase())) throw new UsageError(`--tier is one of ${tierNames.join(', ')}.`)
  const ttlMs = durationMs(ttl)
  if (ttlMs === null || ttlMs < 1_000 || ttlMs > longestDurationMs) throw new UsageError('--ttl needs a duration such as 30s, 15m, 12h or 7d.')
  return { userId: user, role, ttlMs, ...(org === undefined ? {} : { organisation: org }), ...(tier === undefined ? {} : { tier }) }
}

function isName(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- a name with control characters is refused here
  return text.trim() !== '' && text.length <= 128 && !/[\u0000-\u001f]/.test(text)
}

/** A misspelt role would count as `user`, a misspelt tier as the usual one: better told here than wondered about later. */
function isOneOf(known: readonly string[], word: string): boolean {
  return known.includes(word)
}

try {
  const order = readArguments()
  const keys = await signingKeys(processPlaces().keysDir)
  process.stdout.write(`${await issueToken(keys, { ...order, now: Date.now(), tokenId: randomUUID() })}\n`)
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  const message = isUsage ? `${error.message.split('\n')[0]} ${usage}` : toCopilotError(error).message
  process.stderr.write(`${message}\n`)
  process.exitCode = isUsage ? 2 : 1
}
