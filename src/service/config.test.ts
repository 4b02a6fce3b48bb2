// What the environment may say, and how a wrong value is told.
import { describe, expect, it } from 'vitest'
import { readConfig, takeProcessConfig } from './config.ts'

describe('readConfig', () => {
  it('runs with nothing set', () => {
    const config = readConfig({}, 'linux')
    expect(config).toMatchObject({ host: '127.0.0.1', grpcPort: 50051, httpPort: 8080, upstreamTimeoutMs: 30_000, openai: null, launchToken: null })
    expect(config.ollamaUrl).toBe('http://127.0.0.1:11434')
    expect(config.dataDir).toMatch(/aside[\\/]service$/)
  })

  it.each([
    ['AI_SERVICE_TIMEOUT', '30s', 30_000],
    ['AI_SERVICE_TIMEOUT', '5m', 300_000],
    ['AI_SERVICE_TIMEOUT', '300', 300_000]
  ])('reads %s=%s as a duration', (name, value, ms) => {
    expect(readConfig({ [name]: value }).upstreamTimeoutMs).toBe(ms)
  })

  it.each([
    [{}, null],
    [{ REDIS_URL: 'rediss://u:p@cache.example:6380/2' }, 'rediss://u:p@cache.example:6380/2'],
    [{ REDIS_HOST: '10.0.0.5' }, 'redis://10.0.0.5:6379'],
    [{ REDIS_HOST: '::1', REDIS_PORT: '7000' }, 'redis://[::1]:7000'],
    [{ REDIS_HOST: 'elsewhere', REDIS_URL: 'redis://named' }, 'redis://named']
  ])('finds the Redis of %o', (environment, url) => {
    expect(readConfig(environment).redisUrl).toBe(url)
  })

  it.each([
    [{}, false],
    [{ AI_EMBEDDINGS: 'off' }, false],
    [{ AI_EMBEDDINGS: 'ON' }, true],
    [{ AI_EMBEDDINGS: 'on' }, true]
  ])('reads whether passages are found by meaning: %o', (environment, isOn) => {
    expect(readConfig(environment).embeddings).toBe(isOn)
    expect(() => readConfig({ AI_EMBEDDINGS: 'maybe' })).toThrow('AI_EMBEDDINGS')
  })

  it('reads the secrets of webhooks by their source', () => {
    const { webhookSecrets } = readConfig({ ASIDE_WEBHOOK_SECRET_MY_CRM: ' a secret of sixteen characters ' })
    expect([...webhookSecrets]).toEqual([['my-crm', 'a secret of sixteen characters']])
  })

  it.each([
    [{ AI_SERVICE_PROT: '1' }, 'AI_SERVICE_PROT'],
    [{ AI_SERVICE_PORT: '70000' }, 'AI_SERVICE_PORT'],
    [{ AI_SERVICE_PORT: '-1' }, 'AI_SERVICE_PORT'],
    [{ PORT: 'http' }, 'PORT'],
    [{ AI_SERVICE_TIMEOUT: 'soon' }, 'AI_SERVICE_TIMEOUT'],
    [{ AI_CACHE_TTL: '5 minutes' }, 'AI_CACHE_TTL'],
    [{ AI_CONNECTION_POOL_SIZE: '0' }, 'AI_CONNECTION_POOL_SIZE'],
    [{ OPENAI_BASE_URL: 'localhost' }, 'OPENAI_BASE_URL'],
    [{ OPENAI_BASE_URL: 'file:///etc/passwd' }, 'OPENAI_BASE_URL'],
    [{ ASIDE_FIND_OLLAMA: 'maybe' }, 'ASIDE_FIND_OLLAMA'],
    [{ OLLAMA_HOST: 'ftp://x' }, 'OLLAMA_HOST'],
    [{ REDIS_URL: 'not a url' }, 'REDIS_URL'],
    [{ REDIS_URL: 'http://localhost:6379' }, 'REDIS_URL'],
    [{ REDIS_HOST: 'h', REDIS_PORT: 'six' }, 'REDIS_PORT'],
    [{ REDIS_PORT: '6380' }, 'REDIS_HOST'],
    [{ REDIS_HOST: 'a/b' }, 'REDIS_HOST'],
    [{ ASIDE_NODE: 'Node 1' }, 'ASIDE_NODE'],
    [{ AI_LOG_LEVEL: 'loud' }, 'AI_LOG_LEVEL'],
    [{ AI_FEATURES_OFF: 'answer-cache,magic' }, 'AI_FEATURES_OFF'],
    [{ ASIDE_ALERT_URL: 'https://alerts.example/hook' }, 'ASIDE_ALERT_SECRET'],
    [{ ASIDE_ALERT_SECRET: 'a secret of sixteen characters' }, 'ASIDE_ALERT_URL'],
    [{ ASIDE_ALERT_URL: 'file:///x', ASIDE_ALERT_SECRET: 'a secret of sixteen characters' }, 'ASIDE_ALERT_URL'],
    [{ AI_DRAIN_TIMEOUT: 'later' }, 'AI_DRAIN_TIMEOUT'],
    [{ AI_RETENTION: '30d' }, 'AI_RETENTION'],
    [{ AWS_REGION: 'Frankfurt' }, 'AWS_REGION'],
    [{ AI_REMOTE_HOSTS: 'http://x' }, 'AI_REMOTE_HOSTS'],
    [{ AVAI_CANISTER_WS_URL: 'http://x' }, 'AVAI_CANISTER_WS_URL'],
    [{ ANTHROPIC_BASE_URL: 'file:///etc' }, 'ANTHROPIC_BASE_URL'],
    [{ AI_FIRST_TEXT_TIMEOUT: 'soon' }, 'AI_FIRST_TEXT_TIMEOUT'],
    [{ ASIDE_WEBHOOK_SECRET_CRM: 'short' }, 'ASIDE_WEBHOOK_SECRET_CRM'],
    [{ ASIDE_WEBHOOK_SECRET_: 'a secret of sixteen characters' }, 'ASIDE_WEBHOOK_SECRET_']
  ])('stops at %j with one line that names it', (environment, name) => {
    expect(() => readConfig(environment)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringMatching(`^Configuration: ${name} [^\n]+$`) })
    )
  })

  it('knows every provider by its usual settings, and their keys only as keys', () => {
    const { upstreams } = readConfig({
      ANTHROPIC_API_KEY: 'a',
      GEMINI_API_KEY: 'g',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 's',
      AI_REMOTE_HOSTS: 'ai-1:50051, [::1]:50052',
      AVAI_CANISTER_WS_URL: 'wss://canister.example/ws'
    })
    expect(upstreams.keys).toEqual({ anthropic: 'a', gemini: 'g', aws: 'AKIDEXAMPLE:s' })
    expect(upstreams.bedrock?.baseUrl).toBe('https://bedrock-runtime.eu-central-1.amazonaws.com')
    expect(upstreams.remote).toEqual({ hosts: ['ai-1:50051', '[::1]:50052'], isSecure: true })
    expect(upstreams.canisterUrl).toBe('wss://canister.example/ws')
  })

  it('never repeats a secret in what it says', () => {
    expect(() => readConfig({ OPENAI_BASE_URL: 'http//user:secret@host' })).toThrow(/^(?!.*secret)/)
  })

  it('keeps the data of a chosen folder in its own part of it', () => {
    expect(readConfig({ ASIDE_DATA_DIR: '/tmp/x' }, 'linux').dataDir).toBe('/tmp/x/service')
  })

  it('finds Ollama where its own setting says it listens, or nowhere', () => {
    expect(readConfig({ OLLAMA_HOST: '0.0.0.0' }).ollamaUrl).toBe('http://127.0.0.1:11434')
    expect(readConfig({ OLLAMA_HOST: 'gpu.local:9999' }).ollamaUrl).toBe('http://gpu.local:9999')
    expect(readConfig({ ASIDE_FIND_OLLAMA: '0' }).ollamaUrl).toBeNull()
  })

  it('shares a PostgreSQL and a folder of keys where it is told to, and names a wrong one without its password', () => {
    expect(readConfig({ ASIDE_DATA_DIR: '/tmp/x' })).toMatchObject({ databaseUrl: null, keysDir: '/tmp/x/service' })
    const url = 'postgres://aside:hunter2@db:5432/aside'
    expect(readConfig({ DATABASE_URL: ` ${url} `, ASIDE_KEYS_DIR: '/srv/keys' })).toMatchObject({
      databaseUrl: url,
      keysDir: '/srv/keys'
    })
    expect(() => readConfig({ DATABASE_URL: 'mysql://aside:hunter2@db/aside' })).toThrow(/^Configuration: DATABASE_URL (?!.*hunter2)[^\n]*$/)
  })
})

describe('takeProcessConfig', () => {
  it('takes secrets and switches of foreign tracing out of the environment', () => {
    const environment = {
      LANGSMITH_TRACING: 'true',
      LANGCHAIN_TRACING_V2: 'true',
      ASIDE_LAUNCH_TOKEN: 'x',
      BUSINESS_API_KEY: 'y',
      REDIS_URL: 'redis://:p@h',
      DATABASE_URL: 'postgres://a:b@c/d',
      PORT: '0'
    }
    expect(takeProcessConfig({ ...environment, ASIDE_LAUNCH_TOKEN: undefined })).toMatchObject({
      redisUrl: 'redis://:p@h',
      databaseUrl: 'postgres://a:b@c/d'
    })
    expect(takeProcessConfig(environment)).toMatchObject({ launchToken: 'x', httpPort: 0 })
    expect(environment).toEqual({ PORT: '0' })
  })

  it('leaves the databases of a person’s shell alone when the desktop starts it', () => {
    const shell = { REDIS_URL: 'redis://elsewhere', DATABASE_URL: 'not even a URL' }
    expect(takeProcessConfig({ ...shell, ASIDE_LAUNCH_TOKEN: 'x' })).toMatchObject({ redisUrl: null, databaseUrl: null })
    expect(() => takeProcessConfig({ ...shell })).toThrow('DATABASE_URL')
  })
})
