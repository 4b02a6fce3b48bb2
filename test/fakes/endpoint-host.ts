// A host of the command line that is a process of its own, for tests of starting one: opens the local door and answers
// each question with itself, or does what FAKE_HOST says.
import { setTimeout as sleep } from 'node:timers/promises'
import type { EndpointHandlers } from '../../src/main/endpoint/endpoint.ts'
import { openEndpoint } from '../../src/main/endpoint/server.ts'
import { systemTimers } from '../../src/main/link/timers.ts'
import { numbered } from './transport.ts'

const kind = process.env['FAKE_HOST'] ?? 'echo'
if (kind === 'broken') {
  console.error('the disk is full')
  process.exit(1)
}

const handlers: EndpointHandlers = {
  async *ask({ turnId, text, sessionName = '' }) {
    yield* numbered(turnId, [
      { type: 'accepted', messageId: 'm' },
      {
        type: 'delta',
        text: `${sessionName}> ${text} [${process.argv
          .slice(2)
          .filter((arg) => arg.startsWith('--'))
          .join(' ')}] token=${process.env['ASIDE_TOKEN'] ?? ''}`
      },
      { type: 'done', messageId: 'm', finish: 'stop' }
    ])
  },
  stopTurn: () => Promise.resolve(),
  status: () => ({
    version: '0',
    service: null,
    windows: false,
    link: {
      state: 'online',
      transport: 'grpc',
      reason: '',
      retryAt: null,
      since: 0,
      service: { embedded: true, address: '', version: null, answeredBy: null }
    }
  }),
  show: null,
  stop: async () => {
    await Promise.resolve()
    setImmediate(() => void endpoint.stop())
  }
}
await sleep(kind === 'slow' ? 300 : 0)
const endpoint = await openEndpoint({
  dataDir: process.env['ASIDE_DATA_DIR'] ?? '',
  handlers,
  timers: systemTimers,
  onBug: (error) => console.error(error)
})
