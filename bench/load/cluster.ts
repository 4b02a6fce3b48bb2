// The service that npm run load asks: one process on its own, or several that share a Redis, which keeps what it has said on its disk.
import { createClient } from 'redis'
import { turnKeys } from '../../src/service/turns/turnKeys.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { lookAtStore, type Kept } from './kept.ts'
import { issueTokens, startService, type LoadedService } from './service.ts'

export interface ClusterOptions {
  readonly processes: number
  readonly users: number
  readonly upstreamPort: number
  readonly nodeOptions: string
}

export interface LoadedCluster extends AsyncDisposable {
  readonly services: readonly LoadedService[]
  /** One for each user, good at every process. */
  readonly tokens: readonly string[]
  /** Where turns are kept, in words. */
  readonly turnLog: string
  /** Stops the processes and looks what has been kept. */
  stop(): Promise<Kept>
}

/** Throws when `processes` is more than one and there is no redis-server. */
export async function startCluster({ processes, users, upstreamPort, nodeOptions }: ClusterOptions): Promise<LoadedCluster> {
  await using started = new AsyncDisposableStack()
  const redis = processes === 1 ? null : started.use(await startRedis({ durability: 'always' }))
  const services: LoadedService[] = []
  for (let index = 0; index < processes; index += 1) {
    const joined: Record<string, string> = redis === null ? {} : { REDIS_URL: redis.url, ASIDE_NODE: `node-${index}` }
    services.push(started.use(await startService({ upstreamPort, nodeOptions, joined, keyOf: services[0]?.dataDir ?? null })))
  }
  const dataDir = services[0]?.dataDir ?? ''
  const names = Array.from({ length: users }, (_, index) => `user-${index}`)
  const tokens = await issueTokens(dataDir, names, 'user')
  const parts = started.move()
  return {
    services,
    tokens,
    turnLog: redis === null ? 'SQLite, flushed at each commit' : 'Redis, appendfsync always',
    async stop() {
      await Promise.all(services.map((service) => service.stop()))
      return redis === null ? await lookAtStore(dataDir) : await lookAtRedis(redis.url)
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync()
  }
}

async function lookAtRedis(url: string): Promise<Kept> {
  const client = createClient({ url })
  await client.connect()
  try {
    const [turns, unfinished] = await Promise.all([client.zCard(turnKeys.all), client.zCard(turnKeys.unfinished)])
    return { turns, ended: turns - unfinished }
  } finally {
    await client.close()
  }
}
