// The desktop's environment, read once at the start: the only place in src/main that looks at process.env.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { CopilotError } from '../shared/errors.ts'
import { isLoopback } from './link/loopback.ts'

/** Another AI service than the one inside Aside. */
export interface ServiceTarget {
  /** Normal form, to be shown and compared: scheme, host and port. */
  readonly url: string
  /** `host:port`, or null when the URL names the other door. */
  readonly grpc: string | null
  /** `http://host:port` or `https://host:port`, or null. */
  readonly http: string | null
  readonly secure: boolean
}

export interface Config {
  /** Absolute. */
  readonly dataDir: string
  /** null: the service inside Aside. */
  readonly service: ServiceTarget | null
  readonly token: string | null
  readonly logLevel: 'error' | 'warn' | 'info' | 'silent'
  /** Where electron-vite serves the renderer while one develops; null otherwise. */
  readonly devUrl: string | null
  /** Sentences to be announced to the person. */
  readonly warnings: readonly string[]
  /** The environment for child processes, without the token. */
  readonly environment: Readonly<Record<string, string>>
}

export interface ConfigOptions {
  /** Where data goes when ASIDE_DATA_DIR is not set. */
  readonly defaultDataDir: string
}

type Environment = Readonly<Record<string, string | undefined>>

const SHAPE = 'It must be grpc://host:port, grpcs://host:port, http://host:port or https://host:port'
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'grpc:': 50_051, 'grpcs:': 443, 'http:': 80, 'https:': 443 }

/** @throws CopilotError `invalid_request`: one sentence that says what is wrong and what it must look like. */
export function parseServiceUrl(text: string): ServiceTarget {
  const wrong = (why: string): CopilotError => new CopilotError('invalid_request', `ASIDE_SERVICE_URL ${why}. ${SHAPE}.`)
  const scheme = /^([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  const port = scheme === undefined ? undefined : DEFAULT_PORTS[`${scheme}:`]
  if (scheme === undefined || port === undefined) throw wrong('has no scheme that Aside knows')
  // A scheme that URL knows, so that it checks host and port by its strict rules.
  const http = `http${text.slice(scheme.length)}`
  if (!URL.canParse(http) || /:\/?$/.test(text)) throw wrong('is not a valid address')
  const url = new URL(http)
  if (url.username !== '' || url.password !== '') throw wrong('must not contain a name or password (a token goes into ASIDE_TOKEN)')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw wrong('must end after the port')
  const given = /:(\d+)\/?$/.exec(text)?.[1]
  const target = `${url.hostname}:${given === undefined ? port : Number(given)}`
  const web = scheme.startsWith('http')
  return { url: `${scheme}://${target}`, grpc: web ? null : target, http: web ? `${scheme}://${target}` : null, secure: scheme.endsWith('s') }
}

/**
 * One address, or two of one service: its gRPC door and its Socket.IO door, parted by a comma or a space, so that the
 * link can fall back from one to the other.
 * @throws CopilotError `invalid_request` like `parseServiceUrl`.
 */
export function parseService(text: string): ServiceTarget {
  const [first, second, ...more] = text.split(/[\s,]+/).filter((part) => part !== '')
  if (first === undefined || second === undefined) return parseServiceUrl(text)
  const doors = [parseServiceUrl(first), parseServiceUrl(second)]
  const grpc = doors.find((door) => door.grpc !== null)
  const http = doors.find((door) => door.http !== null)
  if (more.length > 0 || grpc === undefined || http === undefined || grpc.secure !== http.secure) {
    throw new CopilotError(
      'invalid_request',
      `ASIDE_SERVICE_URL names ${2 + more.length} addresses that are not one grpc and one http door of the same kind. ` +
        `${SHAPE}, or grpc://host:port,http://host:port for both (both with s, or none).`
    )
  }
  return { url: `${grpc.url},${http.url}`, grpc: grpc.grpc, http: http.http, secure: grpc.secure }
}

/** Pure part of `readConfig`. */
export function parseConfig(environment: Environment, { defaultDataDir }: ConfigOptions): Config {
  const value = (name: string): string | null => {
    const text = environment[name]?.trim() ?? ''
    return text === '' ? null : text
  }
  const url = value('ASIDE_SERVICE_URL')
  const service = url === null ? null : parseService(url)
  const token = value('ASIDE_TOKEN')
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    throw new CopilotError(
      'invalid_request',
      'ASIDE_TOKEN contains characters that no bearer token has. Copy it again, without spaces or line breaks.'
    )
  }
  const { ASIDE_TOKEN: _token, ...rest } = environment
  return {
    dataDir: resolve(value('ASIDE_DATA_DIR') ?? defaultDataDir),
    service,
    token,
    logLevel: levelOf(value('ASIDE_LOG_LEVEL')),
    devUrl: value('ELECTRON_RENDERER_URL'),
    warnings: warningsOf(service, token),
    environment: Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined))
  }
}

/** Takes the configuration, and the token out of the environment, so that no child process inherits it. */
export function readConfig(options: ConfigOptions, environment: NodeJS.ProcessEnv = process.env): Config {
  try {
    return parseConfig(environment, options)
  } finally {
    delete environment['ASIDE_TOKEN']
  }
}

/** Where Electron keeps an application's data by default: what `app.getPath('userData')` says, for a process without it. */
export function platformDataDir(appName: string): string {
  const home = homedir()
  switch (process.platform) {
    case 'darwin':
      return join(home, 'Library', 'Application Support', appName)
    case 'win32':
      return join(process.env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), appName)
    default:
      return join(process.env['XDG_CONFIG_HOME'] ?? join(home, '.config'), appName)
  }
}

function warningsOf(service: ServiceTarget | null, token: string | null): string[] {
  if (service === null || token === null || service.secure || isLoopback(service.grpc ?? new URL(service.http ?? '').host)) return []
  const safe = service.url.replace(/\b(grpc|http):/g, '$1s:')
  return [`The access token travels unencrypted to ${service.url}: anyone on the way can read it. Use ${safe} if the service offers it.`]
}

function levelOf(text: string | null): Config['logLevel'] {
  switch (text) {
    case null:
      return 'warn'
    case 'error':
    case 'warn':
    case 'info':
    case 'silent':
      return text
    default:
      throw new CopilotError('invalid_request', `ASIDE_LOG_LEVEL is “${text}”. It must be error, warn, info or silent.`)
  }
}
