// Whether the Redis at hand keeps what it says it has: how it writes its file, and what it does when it is full.
import { CopilotError } from '../../shared/errors.ts'
import type { RedisConnection } from '../store/redis.ts'

export interface RedisDurability {
  /** `always`: what was answered is on the disk; `everysec`: but for the last second; `none`: gone with the process; `unknown`: it doesn't say. */
  readonly writes: 'always' | 'everysec' | 'none' | 'unknown'
  /** Whether it throws away what is kept when it is full. */
  readonly evicts: boolean
}

export async function readDurability(redis: RedisConnection): Promise<RedisDurability> {
  let settings: Readonly<Record<string, string>>
  try {
    settings = await redis.run((client) => client.configGet(['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy']))
  } catch (error) {
    // Hosted ones don't let themselves be asked; one that is away is another matter.
    if (error instanceof CopilotError && error.details?.['reason'] === undefined) throw error
    return { writes: 'unknown', evicts: false }
  }
  return durabilityOf(settings)
}

export function durabilityOf(settings: Readonly<Record<string, string>>): RedisDurability {
  const fsync = settings['appendfsync']
  const writes = settings['appendonly'] === 'yes' && (fsync === 'always' || fsync === 'everysec') ? fsync : 'none'
  return { writes, evicts: (settings['maxmemory'] ?? '0') !== '0' && settings['maxmemory-policy'] !== 'noeviction' }
}
