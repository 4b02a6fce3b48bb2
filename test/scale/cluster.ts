// Several processes of the service, each as it ships (src/service/bin/serve.ts), behind nginx on one Redis and one model.
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import type { Environment } from '../../src/service/config.ts'
import { root, startProgram, type ServiceProgram } from '../fakes/service-running.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { startNginx, type NginxServer } from '../servers/nginx.ts'
import { startRedis, type RedisServer } from '../servers/redis.ts'
import { startPacedModel, type PacedModel } from './model.ts'

export type NodeName = 'a' | 'b'

export interface ClusterNode {
  readonly http: string
  readonly grpc: string
  readonly program: ServiceProgram
}

export interface Cluster extends AsyncDisposable {
  /** In front of both. */
  readonly nginx: NginxServer
  readonly redis: RedisServer
  readonly model: PacedModel
  node(name: NodeName): ClusterNode
  /** SIGKILL; resolves when it is gone. */
  kill(name: NodeName): Promise<void>
  /** Again, on the same ports and data. */
  start(name: NodeName): Promise<void>
  token(userId?: string, claims?: { readonly role?: string; readonly ttlMs?: number }): Promise<string>
}

export async function startCluster(environment: Environment = {}): Promise<Cluster> {
  await using started = new AsyncDisposableStack()
  const redis = started.use(await startRedis({ durability: 'always' }))
  const model = started.use(await startPacedModel())
  const folder = started.use(await tempFolder())
  const folders = { a: join(folder.path, 'a'), b: join(folder.path, 'b') }
  // What one gives out, the other takes: the key is shared, as the operations guide says.
  await mkdir(join(folders.a, 'service'), { recursive: true })
  await mkdir(join(folders.b, 'service'), { recursive: true })
  const keys = await signingKeys(join(folders.a, 'service'))
  await copyFile(join(folders.a, 'service', 'token-key.json'), join(folders.b, 'service', 'token-key.json'))

  const nodes = new Map<NodeName, ClusterNode>()
  const start = async (name: NodeName): Promise<void> => {
    const before = nodes.get(name)
    const program = await startProgram({
      ASIDE_DATA_DIR: folders[name],
      ASIDE_RESOURCES_DIR: `${root}test/fixtures`,
      ASIDE_NODE: name,
      ASIDE_LOCAL_KNOWLEDGE: '0',
      REDIS_URL: redis.url,
      OPENAI_BASE_URL: model.url,
      OPENAI_MODEL: 'paced-1',
      AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '100000',
      AI_RATE_LIMIT_MESSAGES_PER_MINUTE: '100000',
      AI_RATE_LIMIT_SERVICE_PER_MINUTE: '100000',
      AI_RATE_LIMIT_STREAMS_PER_USER: '1000',
      AI_CONNECTION_POOL_SIZE: '100',
      PORT: portOf(before?.http),
      AI_SERVICE_PORT: portOf(before?.grpc),
      ...environment
    })
    if (program.ready === null) throw new Error(`the service did not start:\n${program.output.stderr}`)
    nodes.set(name, { ...program.ready, program })
  }
  const node = (name: NodeName): ClusterNode => {
    const found = nodes.get(name)
    if (found === undefined) throw new Error(`no process ${name}`)
    return found
  }
  started.defer(async () => {
    await Promise.all([...nodes.values()].map(({ program }) => program[Symbol.asyncDispose]()))
  })
  await Promise.all([start('a'), start('b')])
  const nginx = started.use(await startNginx([node('a'), node('b')]))
  const running = started.move()
  return {
    nginx,
    redis,
    model,
    node,
    start,
    async kill(name) {
      const { program } = node(name)
      program.child.kill('SIGKILL')
      await program.exited
    },
    token: (userId = 'anna', { role = 'user', ttlMs = 600_000 } = {}) =>
      issueToken(keys, { userId, role, ttlMs, now: Date.now(), tokenId: uuidv7() }),
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}

function portOf(address: string | undefined): string {
  return address?.split(':').at(-1) ?? '0'
}
