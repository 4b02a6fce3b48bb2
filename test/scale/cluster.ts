// Two processes of the service, each as it ships (src/service/bin/serve.ts), behind nginx on one Redis, one PostgreSQL and one model.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { v7 as uuidv7 } from 'uuid'
import { ALGORITHM, AUDIENCE, ISSUER, signingKeys } from '../../src/service/auth/keys.ts'
import { root, startProgram, type ServiceProgram } from '../fakes/service-running.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { startNginx, type NginxServer } from '../servers/nginx.ts'
import { startPostgres } from '../servers/postgres.ts'
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
  token(userId?: string, claims?: { readonly tier?: string }): Promise<string>
}

/** Answers of a user under way, at both together. */
export const AT_ONCE = 6
/** Questions a day of a user whose token says `FREE`. */
export const FREE_A_DAY = 8

export async function startCluster(): Promise<Cluster> {
  await using started = new AsyncDisposableStack()
  const redis = started.use(await startRedis({ durability: 'always' }))
  const model = started.use(await startPacedModel())
  const folder = started.use(await tempFolder())
  const keysDir = join(folder.path, 'keys')
  const keys = await signingKeys(keysDir)
  const limitsFile = join(folder.path, 'limits.json')
  await writeFile(limitsFile, JSON.stringify({ tiers: { FREE: { turnsPerDay: FREE_A_DAY, requestsPerMinute: 6_000, burst: 6_000 } } }))
  const postgres = started.use(await startPostgres())
  const database = await postgres.database()

  const nodes = new Map<NodeName, ClusterNode>()
  const start = async (name: NodeName): Promise<void> => {
    const before = nodes.get(name)
    const program = await startProgram({
      ASIDE_DATA_DIR: join(folder.path, name),
      ASIDE_KEYS_DIR: keysDir,
      DATABASE_URL: database,
      ASIDE_RESOURCES_DIR: `${root}test/fixtures`,
      ASIDE_NODE: name,
      ASIDE_LOCAL_KNOWLEDGE: '0',
      REDIS_URL: redis.url,
      OPENAI_BASE_URL: model.url,
      OPENAI_MODEL: 'paced-1',
      AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '100000',
      AI_RATE_LIMIT_MESSAGES_PER_MINUTE: '100000',
      AI_RATE_LIMIT_SERVICE_PER_MINUTE: '100000',
      AI_RATE_LIMIT_STREAMS_PER_USER: String(AT_ONCE),
      AI_LIMITS_FILE: limitsFile,
      AI_CONNECTION_POOL_SIZE: '100',
      PORT: portOf(before?.http),
      AI_SERVICE_PORT: portOf(before?.grpc)
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
    token: (userId = 'anna', claims = {}) =>
      new SignJWT({ role: 'user', ...claims })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setJti(uuidv7())
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(keys.privateKey),
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}

function portOf(address: string | undefined): string {
  return address?.split(':').at(-1) ?? '0'
}
