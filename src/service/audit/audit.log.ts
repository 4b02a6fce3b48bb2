// An audit that goes to the service's log. It is as durable as the log is.
import type { Logger } from '../logging.ts'
import type { Audit } from './audit.ts'

export function createLoggedAudit(logger: Logger): Audit {
  return {
    async record({ kind, ...event }) {
      logger.info({ audit: kind, ...event }, 'audit')
    }
  }
}
