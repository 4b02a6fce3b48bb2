import { describe, expect, test } from 'vitest'
import { parseConfig, parseService, parseServiceUrl, readConfig } from './config.ts'

const options = { defaultDataDir: '/default/data' }

describe('parseServiceUrl', () => {
  test.each([
    ['grpc://127.0.0.1:50051', { url: 'grpc://127.0.0.1:50051', grpc: '127.0.0.1:50051', http: null, secure: false }],
    ['grpc://ai.example', { url: 'grpc://ai.example:50051', grpc: 'ai.example:50051', http: null, secure: false }],
    ['grpc://ai.example:80', { url: 'grpc://ai.example:80', grpc: 'ai.example:80', http: null, secure: false }],
    ['GRPCS://AI.example:7000/', { url: 'grpcs://ai.example:7000', grpc: 'ai.example:7000', http: null, secure: true }],
    ['grpcs://ai.example', { url: 'grpcs://ai.example:443', grpc: 'ai.example:443', http: null, secure: true }],
    ['http://localhost:8080', { url: 'http://localhost:8080', grpc: null, http: 'http://localhost:8080', secure: false }],
    ['https://ai.example', { url: 'https://ai.example:443', grpc: null, http: 'https://ai.example:443', secure: true }],
    ['grpc://[::1]:50051', { url: 'grpc://[::1]:50051', grpc: '[::1]:50051', http: null, secure: false }]
  ])('%s', (text, target) => {
    expect(parseServiceUrl(text)).toEqual(target)
  })
  test.each([
    '',
    'ai.example:50051',
    'ftp://x',
    'grpc://',
    'grpc://x:70000',
    'http://x:',
    'grpc://x:/',
    'grpc://x:port',
    'http://u:p@x',
    'http://x/path',
    'http://x?q',
    'http://x y',
    '\u0000',
    'grpc:'
  ])('refuses %j in one sentence that says what it must look like', (text) => {
    expect(() => parseServiceUrl(text)).toThrow(/^ASIDE_SERVICE_URL .* It must be grpc:/)
  })
})

describe('parseService', () => {
  test('takes one address as it is', () => {
    expect(parseService('grpc://ai.example:1')).toEqual(parseServiceUrl('grpc://ai.example:1'))
  })
  test.each(['grpc://ai.example:1,http://ai.example:2', 'http://ai.example:2 grpc://ai.example:1', ' grpc://ai.example:1 ,\thttp://ai.example:2 '])(
    'takes both doors of one service: %j',
    (text) => {
      expect(parseService(text)).toEqual({
        url: 'grpc://ai.example:1,http://ai.example:2',
        grpc: 'ai.example:1',
        http: 'http://ai.example:2',
        secure: false
      })
    }
  )
  test.each(['grpc://a:1,grpc://b:2', 'http://a:1 http://b:2', 'grpc://a:1,https://b:2', 'grpc://a:1,http://b:2,http://c:3', 'grpc://a:1,nonsense'])(
    'refuses %j in one sentence',
    (text) => {
      expect(() => parseService(text)).toThrow(/^ASIDE_SERVICE_URL .* It must be grpc:/)
    }
  )
})

describe('parseConfig', () => {
  test('has a default for everything', () => {
    expect(parseConfig({ HOME: '/h', EMPTY: undefined }, options)).toEqual({
      dataDir: '/default/data',
      service: null,
      token: null,
      logLevel: 'warn',
      devUrl: null,
      warnings: [],
      environment: { HOME: '/h' }
    })
  })
  test('takes an empty value for none', () => {
    expect(parseConfig({ ASIDE_SERVICE_URL: ' ', ASIDE_TOKEN: '', ASIDE_DATA_DIR: '' }, options)).toMatchObject({
      service: null,
      token: null,
      dataDir: '/default/data'
    })
  })
  test('warns when a token would travel in the open, and only then', () => {
    const warnings = (ASIDE_SERVICE_URL: string, ASIDE_TOKEN = 't'): number =>
      parseConfig({ ASIDE_SERVICE_URL, ASIDE_TOKEN }, options).warnings.length
    expect([warnings('grpc://ai.example:1'), warnings('http://10.0.0.1:1'), warnings('http://127.0.0.1.evil.example:1')]).toEqual([1, 1, 1])
    expect([
      warnings('grpcs://ai.example:1'),
      warnings('http://localhost:1'),
      warnings('grpc://127.9.9.9:1'),
      warnings('http://[::1]:1'),
      warnings('grpc://ai.example:1', '')
    ]).toEqual([0, 0, 0, 0, 0])
  })
  test('refuses a token that can’t be one, without showing it', () => {
    expect(() => parseConfig({ ASIDE_TOKEN: 'two words' }, options)).toThrow(/^ASIDE_TOKEN contains characters/)
    expect(() => parseConfig({ ASIDE_LOG_LEVEL: 'loud' }, options)).toThrow('ASIDE_LOG_LEVEL is “loud”')
  })
  test('keeps the token out of what children get', () => {
    expect(parseConfig({ ASIDE_TOKEN: 'secret', PATH: '/bin' }, options).environment).toEqual({ PATH: '/bin' })
  })
})

test('readConfig takes the token out of the environment, also when it is refused', () => {
  const good: NodeJS.ProcessEnv = { ASIDE_TOKEN: 'secret' }
  expect(readConfig(options, good).token).toBe('secret')
  const bad: NodeJS.ProcessEnv = { ASIDE_TOKEN: 'two words' }
  expect(() => readConfig(options, bad)).toThrow('ASIDE_TOKEN')
  expect([good, bad]).toEqual([{}, {}])
})
