// The part of the configuration that says which providers there are. Read by config.ts, from what it hands over.
import type { KeyName } from './keys/keyFile.ts'

/** One maker's API. The model is the one that answers; the key may come from the environment or from `service:key`. */
export interface UpstreamConfig {
  readonly baseUrl: string
  readonly model: string
}

export interface UpstreamsConfig {
  /** Null: the default, or the first one that a server of one's own lists. Holds without a key in the environment too. */
  readonly openaiModel: string | null
  readonly anthropic: UpstreamConfig
  readonly gemini: UpstreamConfig
  /** Null: no region, so no Bedrock. */
  readonly bedrock: (UpstreamConfig & { readonly region: string }) | null
  /** Empty: no remote copilot. */
  readonly remote: { readonly hosts: readonly string[]; readonly isSecure: boolean }
  /** Null: no canister. */
  readonly canisterUrl: string | null
  /** To the first text of an answer. */
  readonly firstTextTimeoutMs: number
  /** Keys of the environment; those of the key file come first. */
  readonly keys: Readonly<Partial<Record<KeyName, string>>>
}

/** What config.ts reads the environment with. */
export interface UpstreamReader {
  text(name: string): string | null
  duration(name: string, fallbackMs: number): number
  flag(name: string, fallback: boolean): boolean
  url(name: string, protocols: readonly string[]): string | null
  bad(name: string, problem: string): Error
}

/** Names that hold secrets: taken out of the process's environment once they are read. */
export const secretNames = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GEMINI_API_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AI_REMOTE_TOKEN'
] as const

/** Settings that start with `AI_`, which config.ts checks for unknown ones. */
export const upstreamNames = ['AI_FIRST_TEXT_TIMEOUT', 'AI_REMOTE_HOSTS', 'AI_REMOTE_TLS', 'AI_REMOTE_TOKEN']

const web = ['http:', 'https:']

export function readUpstreams(read: UpstreamReader, upstreamTimeoutMs: number): UpstreamsConfig {
  const region = read.text('AWS_REGION')
  if (region !== null && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) throw read.bad('AWS_REGION', 'is not a region such as eu-central-1')
  return {
    openaiModel: read.text('OPENAI_MODEL'),
    anthropic: {
      baseUrl: read.url('ANTHROPIC_BASE_URL', web) ?? 'https://api.anthropic.com',
      model: read.text('ANTHROPIC_MODEL') ?? 'claude-sonnet-4-5'
    },
    gemini: {
      baseUrl: read.url('GEMINI_BASE_URL', web) ?? 'https://generativelanguage.googleapis.com',
      model: read.text('GEMINI_MODEL') ?? 'gemini-2.5-flash'
    },
    bedrock:
      region === null
        ? null
        : {
            region,
            // AWS's own name for it.
            baseUrl: read.url('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', web) ?? `https://bedrock-runtime.${region}.amazonaws.com`,
            model: read.text('BEDROCK_MODEL') ?? 'amazon.nova-lite-v1:0'
          },
    remote: { hosts: hostsOf(read), isSecure: read.flag('AI_REMOTE_TLS', true) },
    canisterUrl: read.url('AVAI_CANISTER_WS_URL', ['ws:', 'wss:']),
    firstTextTimeoutMs: read.duration('AI_FIRST_TEXT_TIMEOUT', upstreamTimeoutMs),
    keys: keysOf(read)
  }
}

function hostsOf(read: UpstreamReader): readonly string[] {
  const hosts = (read.text('AI_REMOTE_HOSTS') ?? '').split(',').flatMap((host) => (host.trim() === '' ? [] : [host.trim()]))
  for (const host of hosts) {
    if (!/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/.test(host))
      throw read.bad('AI_REMOTE_HOSTS', 'must be hosts with ports, such as ai-1:50051,ai-2:50051')
  }
  return hosts
}

function keysOf(read: UpstreamReader): Partial<Record<KeyName, string>> {
  const keys: Partial<Record<KeyName, string>> = {}
  const single = { openai: 'OPENAI_API_KEY', anthropic: 'ANTHROPIC_API_KEY', gemini: 'GEMINI_API_KEY', remote: 'AI_REMOTE_TOKEN' } as const
  for (const [name, variable] of Object.entries(single) as [keyof typeof single, string][]) {
    const value = read.text(variable)
    if (value !== null) keys[name] = value
  }
  const [id, secret, session] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'].map((name) => read.text(name))
  if (id && secret) keys.aws = [id, secret, ...(session ? [session] : [])].join(':')
  return keys
}
