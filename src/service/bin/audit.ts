// npm run --silent audit:verify: reads the whole audit log of this data folder and says whether it is as it was written.
import { systemClock } from '../../shared/kit/clock.ts'
import { toCopilotError } from '../../shared/errors.ts'
import { verifyAudit } from '../audit/audit.sqlite.ts'
import { signingKeys } from '../auth/keys.ts'
import { processDataDir } from '../config.ts'

try {
  const dataDir = processDataDir()
  const report = await verifyAudit({ dataDir, keys: await signingKeys(dataDir), clock: systemClock })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  if (!report.ok) process.exitCode = 1
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ok: false, reason: toCopilotError(error).message })}\n`)
  process.exitCode = 1
}
