// The desktop core on its real parts (history in its worker, link over both doors), with a link that looks around more often
// than the product's and a token that can run out. Tells the run what a window would have been shown.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { createTokenKeeper } from '../../../src/main/auth/tokens.ts'
import { readConfig } from '../../../src/main/config.ts'
import { createDesktop, type Desktop } from '../../../src/main/desktop.ts'
import { createPageRenderer } from '../../../src/main/export/renderer.thread.ts'
import { createImportReader } from '../../../src/main/import/reader.thread.ts'
import { createHistoryRuntime } from '../../../src/main/history/history.worker.ts'
import { createCustody } from '../../../src/main/history/custody.ts'
import { createGrpcTransport } from '../../../src/main/link/link.grpc.ts'
import { createSocketTransport } from '../../../src/main/link/link.socket.ts'
import type { ServiceAddress } from '../../../src/main/link/link.ts'
import { createSupervisor } from '../../../src/main/link/supervisor.ts'
import { systemTimers } from '../../../src/main/link/timers.ts'
import { silentLog } from '../../../src/main/log.ts'
import { createStderrLog } from '../../../src/main/log.stderr.ts'
import { issueToken } from '../../../src/service/auth/issuer.ts'
import { signingKeys } from '../../../src/service/auth/keys.ts'
import { defaultSettings } from '../../../src/shared/domain.ts'
import { systemClock } from '../../../src/shared/kit/clock.ts'
import { testVault } from '../../fakes/host.ts'
import { quietShell, say, talk } from './coreTalk.ts'

const clock = systemClock
const config = readConfig({ defaultDataDir: '' })
const keys = await signingKeys(process.env['CHAOS_SERVICE_KEYS'] ?? '')
const order = (ttlMs: number) => issueToken(keys, { userId: 'anna', role: 'user', ttlMs, now: Date.now(), tokenId: newId() })

let expired = false
const tokens = createTokenKeeper(
  {
    async obtain({ refused }) {
      if (refused !== null) {
        expired = false
        say({ kind: 'refreshed' })
      }
      // It does not say when it runs out, so the service is the one to tell.
      return { value: await order(3_600_000), expiresAt: null }
    }
  },
  clock
)
const outdated = await order(-60_000)
const address: ServiceAddress = {
  grpc: config.service?.grpc ?? null,
  http: config.service?.http ?? null,
  secure: false,
  embedded: false,
  token: (wish) => (expired && !wish.refresh ? Promise.resolve(outdated) : tokens.token(wish))
}

/** The first and last number of each stretch of events that a window is given of a turn. */
function watch(desktop: Desktop): void {
  desktop.mirror.subscribe('main', ({ deltas }) => {
    for (const delta of deltas) {
      if (delta.slice === 'link') say({ kind: 'transport', name: delta.value.transport })
      const [first, last] = delta.slice === 'turn' ? [delta.events[0], delta.events.at(-1)] : []
      if (first !== undefined && last !== undefined) say({ kind: 'shown', turnId: first.turnId, from: first.seq, to: last.seq })
    }
  })
}

async function start(): Promise<Desktop> {
  let desktop: Desktop | null = null
  const runtime = createHistoryRuntime({ dataDir: config.dataDir, clock, onIncident: (text) => desktop?.incident(text) })
  const wait = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal })
  const care = createCustody({ dataDir: config.dataDir, vault: testVault, clock, runtime, random: randomBytes, wait })
  const incident = await care.open()
  const common = { address, clock, timers: systemTimers }
  let settings = defaultSettings
  desktop = createDesktop({
    history: runtime.history,
    care,
    historyIncident: incident,
    link: createSupervisor({
      ...common,
      transports: [createGrpcTransport(common), createSocketTransport({ ...common, connectLimitMs: 600 })],
      random: Math.random,
      pace: { heartbeatMs: 500, activeHeartbeatMs: 250, helloLimitMs: { grpc: 400, socket: 1_600 }, backoff: { baseMs: 40, capMs: 300 } }
    }),
    settings: { get: () => settings, set: (next) => void (settings = next) },
    secrets: { get: () => Promise.resolve(null), set: () => Promise.resolve() },
    importReader: createImportReader(),
    renderPages: createPageRenderer(),
    shell: quietShell,
    version: '0.0.0',
    clock,
    newId,
    random: Math.random,
    log: config.logLevel === 'silent' ? silentLog : createStderrLog(config.logLevel),
    announcements: []
  })
  watch(desktop)
  return desktop
}

await talk(start, { sabotage: 'none', expire: () => void (expired = true) })
