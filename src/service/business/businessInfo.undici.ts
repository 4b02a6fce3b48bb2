// Business info and resources from their two HTTP APIs; either may be missing.
import type { Clock } from '../../shared/kit/clock.ts'
import type { ApiConfig } from '../agentConfig.ts'
import { createApiClient, type ApiClient } from './apiClient.undici.ts'
import { requireReader, type BusinessInfo } from './businessInfo.ts'

export interface BusinessInfoOptions {
  readonly businessApi: ApiConfig | null
  readonly resourcesApi: ApiConfig | null
  readonly clock: Clock
}

/** `GET {business}/businesses/{id}` and `GET {resources}/businesses/{id}/resources?locationId=…`. The caller stops it. */
export function createBusinessInfo({ businessApi, resourcesApi, clock }: BusinessInfoOptions): BusinessInfo {
  const client = (name: string, api: ApiConfig | null): ApiClient | null => (api === null ? null : createApiClient({ ...api, name, clock }))
  const businesses = client('business', businessApi)
  const resources = client('resources', resourcesApi)
  const pathOf = (businessId: string): string => `/businesses/${encodeURIComponent(businessId)}`
  return {
    async business(reader, businessId, signal) {
      requireReader(reader, businessId)
      return (await businesses?.get(pathOf(businessId), signal)) ?? null
    },
    async resources(reader, { businessId, locationId }, signal) {
      requireReader(reader, businessId)
      const where = locationId === undefined ? '' : `?locationId=${encodeURIComponent(locationId)}`
      return (await resources?.get(`${pathOf(businessId)}/resources${where}`, signal)) ?? null
    },
    async stop() {
      await Promise.all([businesses?.stop(), resources?.stop()])
    }
  }
}
