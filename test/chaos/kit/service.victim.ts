// The AI service as it ships, with the scripted model in place of a real one: a process to be killed.
// Environment: ASIDE_DATA_DIR, ASIDE_LAUNCH_TOKEN, CHAOS_JOURNAL. Prints its doors as one JSON line when it is ready.
import { pino } from 'pino'
import { startService } from '../../../src/service/compose.ts'
import { readConfig } from '../../../src/service/config.ts'
import { createLogger } from '../../../src/service/logging.ts'
import { createScriptedProvider } from './scriptedProvider.ts'

const { CHAOS_JOURNAL: journal = '', ...environment } = process.env
const service = await startService({
  config: readConfig(environment),
  logger: createLogger(pino.destination({ fd: 2, sync: true })),
  providers: [createScriptedProvider(journal)]
})
process.on('SIGTERM', () => {
  void service.stop().then(() => process.exit(0))
})
// The run that started it was killed: nobody needs it any more.
process.on('disconnect', () => process.exit(0))
process.stdout.write(`${JSON.stringify({ grpc: service.grpc, http: service.http })}\n`)
