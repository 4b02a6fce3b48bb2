// What goes wrong between the service and PostgreSQL, said in one sentence with what to do. The words never hold what was asked.
import { CopilotError } from '../../shared/errors.ts'
import { faultCode } from './faults.ts'

const RETRY_AFTER_MS = 2_000

/** Lost or refused on its way: the network, a restart, a server that has no place left. */
const away: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'EACCES',
  // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, too_many_connections, idle in a transaction for too long
  '57P01', '57P02', '57P03', '57P04', '53300', '25P03'
]) // prettier-ignore
/** node-postgres says these without a code. */
const AWAY_WORDS =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|query read timeout|not queryable/i
const untrusted = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/

/** Serialization failure and deadlock: nothing was done, and the same again works. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes(faultCode(error))
}

/** Translates a failed query; what is not about the server or the way to it is a bug and stays as it is. `label` is told to people. */
export function toPostgresFault(error: unknown, label: string): unknown {
  if (error instanceof CopilotError || !(error instanceof Error)) return error
  const sentence = sentenceFor(error, label)
  if (sentence === null) return error
  return new CopilotError('unavailable', sentence, { cause: error, retryAfterMs: RETRY_AFTER_MS, details: { reason: faultCode(error) } })
}

function sentenceFor(error: Error, label: string): string | null {
  const code = faultCode(error)
  if (away.has(code) || code.startsWith('08') || AWAY_WORDS.test(error.message)) {
    return `PostgreSQL at ${label} can’t be reached (${code || 'broken off'}). What was saved is kept; try again in a moment.`
  }
  if (code.startsWith('28')) return `PostgreSQL at ${label} refuses the user or the password of DATABASE_URL. Check both.`
  if (code === '3D000') return `There is no such database at ${label}. Make it (createdb), or correct DATABASE_URL.`
  if (code === '57014' || code === '55P03') return `PostgreSQL at ${label} took too long and was stopped. Nothing was changed; try again in a moment.`
  if (isCollision(error)) return `Too many wrote the same at the same moment in ${label}. Nothing was changed; try again in a moment.`
  if (code === '25006') return `PostgreSQL at ${label} only reads: it is a standby. Let DATABASE_URL name the primary.`
  if (code === '42501') return `The user of DATABASE_URL may not do this at ${label}. Let it own the database (ALTER DATABASE … OWNER TO …).`
  if (code.startsWith('53') || code.startsWith('58'))
    return `PostgreSQL at ${label} has no room left or its disk fails (${code}). What was saved is kept.`
  if (/does not support SSL/i.test(error.message)) return `PostgreSQL at ${label} speaks no TLS, which DATABASE_URL asks for (sslmode).`
  if (untrusted.test(code))
    return `The certificate of PostgreSQL at ${label} is not trusted (${code}). Name its authority in DATABASE_URL (sslrootcert).`
  return null
}
