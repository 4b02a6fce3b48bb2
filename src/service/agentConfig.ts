// The part of the configuration that says what the agent may do beside chatting, and where it keeps and looks things up. Read by
// config.ts, from what it hands over.

export interface ApiConfig {
  readonly baseUrl: string
  /** Null: it is asked without one. */
  readonly key: string | null
}

export interface AgentConfig {
  /** The operator's file: targets of actions, businesses of webhooks, when a person looks first; null: none is told. */
  readonly file: string | null
  /** Null: message models and decisions are in the service's own store. */
  readonly dynamo: { readonly region: string; readonly endpoint: string | null; readonly prefix: string } | null
  /** Null: there is no such API. */
  readonly businessApi: ApiConfig | null
  readonly resourcesApi: ApiConfig | null
}

export interface AgentReader {
  text(name: string): string | null
  folder(name: string): string | null
  url(name: string, protocols: readonly string[]): string | null
  bad(name: string, problem: string): Error
}

/** Taken out of the process's environment once they are read. */
export const agentSecrets = ['BUSINESS_API_KEY', 'RESOURCES_API_KEY'] as const

const web = ['http:', 'https:']

export function readAgentConfig(read: AgentReader): AgentConfig {
  const api = (name: 'BUSINESS' | 'RESOURCES'): ApiConfig | null => {
    const baseUrl = read.url(`${name}_API_URL`, web)
    return baseUrl === null ? null : { baseUrl, key: read.text(`${name}_API_KEY`) }
  }
  return { file: read.folder('AI_AGENT_FILE'), dynamo: dynamoOf(read), businessApi: api('BUSINESS'), resourcesApi: api('RESOURCES') }
}

function dynamoOf(read: AgentReader): AgentConfig['dynamo'] {
  const endpoint = read.url('DYNAMODB_ENDPOINT', web)
  const prefix = read.text('DYNAMODB_TABLE_PREFIX')
  if (endpoint === null && prefix === null) return null
  if (prefix !== null && !/^[A-Za-z0-9_.-]{1,100}$/.test(prefix)) throw read.bad('DYNAMODB_TABLE_PREFIX', 'must be letters, digits, dots and dashes')
  const region = read.text('AWS_REGION')
  if (region === null && endpoint === null) throw read.bad('AWS_REGION', 'is missing: it goes with DYNAMODB_TABLE_PREFIX')
  return { region: region ?? 'local', endpoint, prefix: prefix ?? 'aside-' }
}
