// npm run --silent service:client -- add NAME [--ttl 365d] | list | revoke ID: keys by which other services ask.
import { parseArgs } from 'node:util'
import { toCopilotError } from '../../shared/errors.ts'
import { systemClock } from '../../shared/kit/clock.ts'
import { openAudit } from '../audit/audit.sqlite.ts'
import { addClientKey, readClientKeys, revokeClientKey } from '../auth/clientKeys.ts'
import { signingKeys } from '../auth/keys.ts'
import { processDataDir } from '../config.ts'
import { durationMs, longestDurationMs } from '../duration.ts'

const usage = 'Usage: npm run --silent service:client -- add NAME [--ttl 365d] | list | revoke ID'

class UsageError extends Error {}

async function audited(dataDir: string, action: 'client-key.added' | 'client-key.revoked', subject: string): Promise<void> {
  const audit = await openAudit({ dataDir, keys: await signingKeys(dataDir), clock: systemClock, onHeadFailed: () => undefined })
  await audit.record({ actor: 'operator', action, subject })
  await audit.stop()
}

async function run(): Promise<string> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { ttl: { type: 'string' } } })
  const [command, argument = ''] = positionals
  const dataDir = processDataDir()
  const now = systemClock.now()
  if (command === 'list' && positionals.length === 1) {
    const keys = readClientKeys(dataDir).map(({ id, name, createdAt, expiresAt, revokedAt }) => ({ id, name, createdAt, expiresAt, revokedAt }))
    return keys.map((key) => JSON.stringify(key)).join('\n')
  }
  if (positionals.length !== 2) throw new UsageError('Say what to do.')
  if (command === 'add') {
    if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(argument)) throw new UsageError('NAME needs 1 to 64 letters, digits, spaces, dots or dashes.')
    const ttlMs = values.ttl === undefined ? null : durationMs(values.ttl)
    if (values.ttl !== undefined && (ttlMs === null || ttlMs < 1_000 || ttlMs > longestDurationMs))
      throw new UsageError('--ttl needs a duration such as 30d or 12h.')
    const { id, key } = await addClientKey(dataDir, { name: argument, now, ttlMs })
    await audited(dataDir, 'client-key.added', id)
    return key
  }
  if (command === 'revoke') {
    if (!(await revokeClientKey(dataDir, argument, now))) throw new UsageError(`There is no key ${argument} that works.`)
    await audited(dataDir, 'client-key.revoked', argument)
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
