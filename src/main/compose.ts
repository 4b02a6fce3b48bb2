// The composition root of the desktop core under plain Node: opens the history, finds the service, wires the rest.
// Electron's parts come in as ports; tests and the windowless host bring their own.
import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { v7 as uuidv7 } from 'uuid'
import { CopilotError } from '../shared/errors.ts'
import { systemClock, type Random } from '../shared/kit/clock.ts'
import { createSecrets, type Secrets } from './auth/secrets.ts'
import { createTokenKeeper, fixedToken, launchToken } from './auth/tokens.ts'
import type { Vault } from './auth/vault.ts'
import type { Config } from './config.ts'
import { createDesktop, type Desktop } from './desktop.ts'
import type { EndpointHandlers } from './endpoint/endpoint.ts'
import { openEndpoint } from './endpoint/server.ts'
import { createCustody } from './history/custody.ts'
import { createHistoryRuntime } from './history/history.worker.ts'
import { createPageRenderer } from './export/renderer.thread.ts'
import { createImportReader } from './import/reader.thread.ts'
import { createLateLink } from './link/late.ts'
import { createGrpcTransport } from './link/link.grpc.ts'
import { createSocketTransport } from './link/link.socket.ts'
import type { Link, ServiceAddress } from './link/link.ts'
import { createSupervisor } from './link/supervisor.ts'
import { watchSurroundings } from './link/surroundings.ts'
import { systemTimers } from './link/timers.ts'
import type { Log } from './log.ts'
import type { ServiceDoors, ServiceHost } from './service/host.ts'
import { createKeeper, type Keeper } from './service/keeper.ts'
import type { SettingsStore } from './settings/settings.ts'
import type { Shell } from './shell.ts'

/** How long a base peer may send nothing in mid-turn. */
const SILENCE_LIMIT_MS = 90_000
/** A question from the command line says that it waits when the service could not be reached for this long. */
const ASK_PATIENCE_MS = 6_000
/** Where the command line asks when it names no session. */
const TERMINAL_SESSION = 'Terminal'
/** Names of the sealed secrets. */
const OPENAI_KEY = 'provider.openai'

export interface ComposeOptions {
  readonly config: Config
  readonly log: Log
  readonly vault: Vault
  readonly settings: SettingsStore
  readonly shell: Shell
  /** Runs the embedded service; not used with a remote one. */
  readonly host: ServiceHost
  /** The bundle of the history's worker; null: the source beside its client. */
  readonly historyWorker: string | null
  readonly version: string
  /** What the command line may ask of this host beside questions. */
  readonly endpoint: Pick<EndpointHandlers, 'show' | 'stop'>
}

/** @throws CopilotError with a sentence for people when the history can't be opened at all. */
export async function composeDesktop(options: ComposeOptions): Promise<Desktop> {
  const { config, log, vault, settings, shell } = options
  const clock = systemClock
  const random: Random = Math.random
  const secrets = createSecrets({ file: join(config.dataDir, 'secrets.json'), vault, clock })
  // The service takes the longest to start: it begins before the history is open.
  const service = config.service === null ? embedded({ ...options, secrets, random }) : remote(options, random)
  let desktop: Desktop | null = null
  const runtime = createHistoryRuntime({
    dataDir: config.dataDir,
    clock,
    onIncident: (text) => desktop?.incident(text),
    ...(options.historyWorker === null ? {} : { workerUrl: pathToFileURL(options.historyWorker) })
  })
  const care = createCustody({
    dataDir: config.dataDir,
    vault,
    clock,
    runtime,
    random: randomBytes,
    wait: (ms, signal) => sleep(ms, undefined, { signal })
  })
  const incident = await care.open()
  // Nobody could be asked: a passphrase is not taken from the environment or the command line.
  if (care.locked() && options.endpoint.show === null) {
    throw new CopilotError(
      'unavailable',
      'The history is locked with a passphrase. Nothing was changed. Start Aside with its window, unlock it, then ask again.'
    )
  }
  const core = createDesktop({
    history: runtime.history,
    care,
    historyIncident: incident,
    importReader: createImportReader(),
    renderPages: createPageRenderer(),
    link: service.link,
    settings,
    secrets,
    shell,
    restartService: service.keeper?.restart,
    version: options.version,
    clock,
    newId: uuidv7,
    random,
    log,
    announcements: config.warnings
  })
  desktop = core
  await shell.apply(settings.get())
  const endpoint = await openEndpoint({
    dataDir: config.dataDir,
    timers: systemTimers,
    onBug: (error) => log.error('endpoint.bug', { error }),
    handlers: {
      ...options.endpoint,
      async *ask({ turnId, text, sessionName, quickAction }, signal) {
        const session = await core.sessionNamed(sessionName ?? TERMINAL_SESSION)
        yield* core.askAndFollow({ turnId, sessionId: session.id, text, quickAction }, { signal, patienceMs: ASK_PATIENCE_MS })
      },
      stopTurn: (turnId) => core.desk.stop(turnId),
      status: () => ({
        version: options.version,
        service: config.service?.url ?? null,
        windows: options.endpoint.show !== null,
        link: service.link.status()
      })
    }
  })
  const stopWatching = watchSurroundings({
    clock,
    timers: systemTimers,
    interfaces: networkInterfaces,
    onChange(what) {
      log.info('surroundings.changed', { what })
      core.recheck()
    }
  })
  return {
    ...core,
    busy: () => core.busy() || endpoint.connections() > 0,
    async stop() {
      stopWatching()
      await endpoint.stop()
      await core.stop()
      await service.keeper?.stop()
    }
  }
}

interface Service {
  readonly link: Link
  readonly keeper: Keeper | null
}

/** The service inside Aside: on loopback, with a token that is made at each launch of the app. */
function embedded(options: ComposeOptions & { readonly secrets: Secrets; readonly random: Random }): Service {
  const { config, log, settings, secrets, random } = options
  const token = randomBytes(32).toString('base64url')
  let doors: ServiceDoors | null = null
  const keeper = createKeeper({
    host: options.host,
    random,
    log,
    async env() {
      const { openaiBaseUrl, openaiModel, findOllama } = settings.get().service
      const key = openaiBaseUrl === '' ? null : await secrets.get(OPENAI_KEY)
      return {
        ...config.environment,
        ASIDE_DATA_DIR: config.dataDir,
        ASIDE_LAUNCH_TOKEN: token,
        AI_SERVICE_HOST: '127.0.0.1',
        ...(findOllama ? {} : { ASIDE_FIND_OLLAMA: '0' }),
        ...(openaiBaseUrl === '' ? {} : { OPENAI_BASE_URL: openaiBaseUrl }),
        ...(openaiBaseUrl === '' || openaiModel === '' ? {} : { OPENAI_MODEL: openaiModel }),
        ...(key === null ? {} : { OPENAI_API_KEY: key })
      }
    },
    onReady: (now) => {
      doors = now
      link.recheck()
    }
  })
  const tokens = createTokenKeeper(
    launchToken(() => token),
    systemClock
  )
  const address: ServiceAddress = {
    get grpc() {
      return doors?.grpc ?? null
    },
    get http() {
      return doors === null ? null : `http://${doors.http}`
    },
    secure: false,
    embedded: true,
    token: (wish) => tokens.token(wish)
  }
  const link = createLateLink({
    embedded: true,
    address: '127.0.0.1',
    clock: systemClock,
    async connect() {
      await keeper.doors()
      return supervise(address, random)
    }
  })
  return { link, keeper }
}

function remote({ config }: ComposeOptions, random: Random): Service {
  if (config.service === null) throw new CopilotError('internal', 'No service to go to.')
  const tokens = createTokenKeeper(fixedToken(config.token), systemClock)
  const { grpc, http, secure } = config.service
  return { link: supervise({ grpc, http, secure, embedded: false, token: (wish) => tokens.token(wish) }, random), keeper: null }
}

function supervise(address: ServiceAddress, random: Random): Link {
  const common = { address, clock: systemClock, timers: systemTimers, silenceLimitMs: SILENCE_LIMIT_MS }
  const transports = [
    ...(address.grpc === null ? [] : [createGrpcTransport(common)]),
    ...(address.http === null ? [] : [createSocketTransport(common)])
  ]
  return createSupervisor({ transports, address, clock: systemClock, random, timers: systemTimers })
}
