// The real service as a process of its own, with three equal OpenAI-compatible providers on real sockets, for
// bench/failover.ts: node service.ts DATA_DIR PLACES URL URL URL. Prints where it listens, stops on SIGTERM.
import { pino } from 'pino'
import { startService } from '../../src/service/compose.ts'
import { readConfig } from '../../src/service/config.ts'
import { createLogger } from '../../src/service/logging.ts'
import { createLocalKnowledge } from '../../src/service/providers/localKnowledge.ts'
import { createOpenAiProvider } from '../../src/service/providers/openai.undici.ts'

const [dataDir = '', places = '', ...urls] = process.argv.slice(2)
const config = readConfig({
  PORT: '0',
  AI_SERVICE_PORT: '0',
  ASIDE_FIND_OLLAMA: '0',
  ASIDE_DATA_DIR: dataDir,
  AI_CONNECTION_POOL_SIZE: places,
  AI_CONNECTION_TIMEOUT: '1s',
  AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '100000',
  AI_RATE_LIMIT_SERVICE_PER_MINUTE: '1000000'
})
const providers = urls.map((baseUrl, index) =>
  createOpenAiProvider({
    id: `upstream-${index}`,
    name: `Upstream ${index}`,
    baseUrl,
    apiKey: () => 'sk-bench',
    model: 'gpt-4o',
    priceKey: 'openai',
    timeouts: { firstTextMs: 30_000, betweenTextMs: 30_000 },
    connectTimeoutMs: config.connectTimeoutMs,
    connections: config.poolSize * 2
  })
)
const logger = createLogger(pino.destination({ dest: `${dataDir}/service.log`, sync: false, mkdir: true }))
const service = await startService({ config, logger, providers: [...providers, createLocalKnowledge(0)] })
process.stdout.write(`${JSON.stringify({ http: service.http, dataDir: config.dataDir })}\n`)
process.once('SIGTERM', () => {
  void (async () => {
    await service.stop()
    await Promise.all(providers.map((provider) => provider.stop()))
    process.exit(0)
  })()
})
