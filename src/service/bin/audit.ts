// npm run --silent audit:verify: reads the whole audit log, of this data folder or of DATABASE_URL, and says whether it is as it was written.
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../shared/kit/clock.ts'
import { toCopilotError } from '../../shared/errors.ts'
import { verifyPostgresAudit } from '../audit/audit.postgres.ts'
import { verifyAudit } from '../audit/audit.sqlite.ts'
import type { ChainReport } from '../audit/chain.ts'
import { signingKeys } from '../auth/keys.ts'
import { processPlaces } from '../config.ts'
import { openPostgres } from '../store/postgres.ts'

async function verify(): Promise<ChainReport> {
  const { dataDir, keysDir, databaseUrl } = processPlaces()
  const keys = await signingKeys(keysDir)
  if (databaseUrl === null) return await verifyAudit({ dataDir, keys, clock: systemClock })
  const postgres = await openPostgres({ url: databaseUrl, instance: `operator:${randomUUID()}`, onFault: () => undefined })
  try {
    return await verifyPostgresAudit(postgres, { dataDir, keys })
  } finally {
    await postgres.stop()
  }
}

try {
  const report = await verify()
  process.stdout.write(`${JSON.stringify(report)}\n`)
  if (!report.ok) process.exitCode = 1
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ok: false, reason: toCopilotError(error).message })}\n`)
  process.exitCode = 1
}
