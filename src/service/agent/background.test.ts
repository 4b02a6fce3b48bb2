// Background for a decision: what the APIs know, with the rights of the input's own business, and less of it when they are away.
import { expect, it } from 'vitest'
import { anInput } from '../../../test/fakes/action-target.ts'
import { keptLog, never } from '../../../test/fakes/service-parts.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { BusinessInfo } from '../business/businessInfo.ts'
import { createBackground } from './background.ts'

const info = (part: Partial<BusinessInfo> = {}): BusinessInfo => ({
  business: async (reader, businessId) => ({ reader, businessId }),
  resources: async (_reader, place) => place,
  stop: () => Promise.resolve(),
  ...part
})

it('is what both APIs say, asked with the least rights', async () => {
  const known = await createBackground(info(), keptLog())(anInput({ locationId: 'l' }), never)
  expect(known.map((text) => JSON.parse(text) as unknown)).toEqual([
    { reader: { role: 'user', businessId: 'acme' }, businessId: 'acme' },
    { businessId: 'acme', locationId: 'l' }
  ])
  expect(await createBackground(info(), keptLog())(anInput({ businessId: 'none' }), never)).toEqual([])
})

it('goes on without an API that is away, and says so in the log', async () => {
  const logger = keptLog()
  const away = info({ business: () => Promise.reject(new CopilotError('unavailable', 'down')), resources: async () => null })
  expect(await createBackground(away, logger)(anInput(), never)).toEqual([])
  expect(logger.lines).toMatchObject([{ event: 'background.missing', fields: { inputId: 'i1' } }])
})

it('ends when it is stopped', async () => {
  await expect(createBackground(info(), keptLog())(anInput(), AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
})
