// What the business's own systems know, as background for a decision. A system that is away or refuses means less background, said in
// the log; the decision then rests on less, and is made all the same.
import type { BusinessInfo } from '../business/businessInfo.ts'
import { errorFields, type Logger } from '../logging.ts'
import { NO_BUSINESS } from './admit.ts'
import type { Background } from './inputStages.ts'

const LONGEST = 8_000

export function createBackground(info: BusinessInfo, logger: Logger): Background {
  return async ({ businessId, locationId, id }, signal) => {
    if (businessId === NO_BUSINESS) return []
    // An input is looked up for with the rights of its own business, whoever sent it.
    const reader = { role: 'user', businessId }
    const found = await Promise.allSettled([info.business(reader, businessId, signal), info.resources(reader, { businessId, locationId }, signal)])
    signal.throwIfAborted()
    return found.flatMap((result) => {
      if (result.status === 'fulfilled') return result.value === null ? [] : [JSON.stringify(result.value).slice(0, LONGEST).toWellFormed()]
      logger.warn({ inputId: id, ...errorFields(result.reason) }, 'background.missing')
      return []
    })
  }
}
