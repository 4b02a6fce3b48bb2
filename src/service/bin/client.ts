// npm run --silent service:client -- add NAME [--ttl 365d] | list | revoke ID: keys by which other services ask.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { toCopilotError } from '../../shared/errors.ts'
import { systemClock } from '../../shared/kit/clock.ts'
import { openPostgresAudit } from '../audit/audit.postgres.ts'
import { openAudit } from '../audit/audit.sqlite.ts'
import { addClientKey, readClientKeys, revokeClientKey } from '../auth/clientKeys.ts'
import { signingKeys } from '../auth/keys.ts'
import { processPlaces, type ProcessPlaces } from '../config.ts'
import { openPostgres } from '../store/postgres.ts'
import { durationMs, longestDurationMs } from '../duration.ts'

const usage = 'Usage: npm run --silent service:client -- add NAME [--ttl 365d] | list | revoke ID'

class UsageError extends Error {}

async function audited(places: ProcessPlaces, action: 'client-key.added' | 'client-key.revoked', subject: string): Promise<void> {
  const { dataDir, keysDir, databaseUrl: url } = places
  const common = { dataDir, keys: await signingKeys(keysDir), clock: systemClock, onHeadFailed: () => undefined }
  await using opened = new AsyncDisposableStack()
  const postgres = url === null ? null : await openPostgres({ url, instance: `operator:${randomUUID()}`, onFault: () => undefined })
  opened.defer(() => postgres?.stop())
  const audit = postgres === null ? await openAudit(common) : await openPostgresAudit({ ...common, postgres })
  opened.defer(() => audit.stop())
  await audit.record({ actor: 'operator', action, subject })
}

async function run(): Promise<string> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { ttl: { type: 'string' } } })
  const [command, argument = ''] = positionals
  const places = processPlaces()
  const { keysDir } = places
  const now = systemClock.now()
  if (command === 'list' && positionals.length === 1) {
    const keys = readClientKeys(keysDir).map(({ id, name, createdAt, expiresAt, revokedAt }) => ({ id, name, createdAt, expiresAt, revokedAt }))
    return keys.map((key) => JSON.stringify(key)).join('\n')
  }
  if (positionals.length !== 2) throw new UsageError('Say what to do.')
  if (command === 'add') {
    if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(argument)) throw new UsageError('NAME needs 1 to 64 letters, digits, spaces, dots or dashes.')
    const ttlMs = values.ttl === undefined ? null : durationMs(values.ttl)
    if (values.ttl !== undefined && (ttlMs === null || ttlMs < 1_000 || ttlMs > longestDurationMs))
      throw new UsageError('--ttl needs a duration such as 30d or 12h.')
    const { id, key } = await addClientKey(keysDir, { name: argument, now, ttlMs })
    await audited(places, 'client-key.added', id)
    return key
  }
  if (command === 'revoke') {
    if (!(await revokeClientKey(keysDir, argument, now))) throw new UsageError(`There is no key ${argument} that works.`)
    await audited(places, 'client-key.revoked', argument)
    return `Revoked ${argument}. It stops working within a second.`
  }
  throw new UsageError(`"${command ?? ''}" is not something to do.`)
}

try {
  const said = await run()
  if (said !== '') process.stdout.write(`${said}\n`)
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  process.stderr.write(`${isUsage ? `${error.message.split('\n')[0]} ${usage}` : toCopilotError(error).message}\n`)
  process.exitCode = isUsage ? 2 : 1
}
