// The service as the program it ships as: starts, says where it is, survives, stops, and says why it can't. And clients
// written in another language, which know only the base fields.
import { PYTHON } from '../../tools/run/python.ts'
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reduceTurn } from '../../src/shared/turn.ts'
import { fromStreamResponse } from '../../src/shared/wire/grpc.ts'
import { tempFolder, type TempFolder } from '../fakes/service-parts.ts'
import { grpcClient, root, serveCommand, startProgram } from '../fakes/service-running.ts'
import { chunk, startUpstream, stream } from '../fakes/service-upstream.ts'

const run = promisify(execFile)
let folder: TempFolder
beforeEach(async () => {
  folder = await tempFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

async function tokenFor(user: string, ...more: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [`${root}src/service/bin/token.ts`, '--user', user, ...more], {
    env: { ASIDE_DATA_DIR: folder.path }
  })
  return stdout.trim()
}
async function occupiedPort(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve()))
  }
}
const question = 'Which Harbor class for archives?'

describe('the program', () => {
  it('says once where it listens, accepts its own tokens, and stops cleanly when told', async () => {
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path })
    expect(program.ready).toEqual({
      ready: true,
      grpc: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      http: expect.stringMatching(/^127\.0\.0\.1:\d+$/)
    })
    await using grpc = grpcClient(program.ready?.grpc ?? '', await tokenFor('anna', '--role', 'admin', '--ttl', '30s'))
    expect((await grpc.stream({ message: question })).error).toBeNull()
    program.child.kill('SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
    expect(program.output.stdout.trim().split('\n')).toHaveLength(1)
    for (const line of program.output.stderr.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/info|warn/), msg: expect.any(String) })
    expect(program.output.stderr).not.toContain('Harbor')
    const files = await readdir(join(folder.path, 'service'))
    const kept = await Promise.all(files.map((file) => readFile(join(folder.path, 'service', file))))
    expect(kept.filter((content) => content.includes('archives'))).toEqual([])
  })

  it('lets an answer that is on its way finish when it is told to stop', async () => {
    await using upstream = await startUpstream()
    const more = Promise.withResolvers<void>()
    upstream.script(async (response) => {
      stream(response).write(chunk('first '))
      await more.promise
      response.end(`${chunk('last')}data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`)
    })
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path, OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: 'm' })
    await using grpc = grpcClient(program.ready?.grpc ?? '', await tokenFor('anna'))
    const { pieces, error } = await grpc.stream({ message: question }, ({ content }) => {
      if (content !== 'first ') return
      program.child.kill('SIGTERM')
      setTimeout(more.resolve, 100)
    })
    expect(error).toBeNull()
    expect(pieces.map(({ content }) => content).join('')).toBe('first last')
    expect(await program.exited).toEqual({ code: 0, signal: null })
  })

  it('loses nothing that was heard when it is killed, and answers what had no word yet', async () => {
    await using upstream = await startUpstream()
    upstream.script((response) => void stream(response).write(chunk('half')))
    const settings = { ASIDE_DATA_DIR: folder.path, OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: 'm' }
    await using first = await startProgram(settings)
    const token = await tokenFor('anna')
    await using before = grpcClient(first.ready?.grpc ?? '', token)
    const [begun, silent] = [uuidv7(), uuidv7()]
    const heard = await before.stream({ message: question, turnId: begun }, ({ content }, cancel) => content === '' || cancel())
    upstream.script((response) => stream(response).flushHeaders())
    await before.stream({ message: question, turnId: silent }, (_piece, cancel) => cancel())
    first.child.kill('SIGKILL')
    await first.exited
    upstream.script((response) => void stream(response).end(`${chunk('whole')}data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n`))
    await using second = await startProgram(settings)
    await using after = grpcClient(second.ready?.grpc ?? '', token)
    const seen = heard.pieces.map(fromStreamResponse).filter((event) => event !== null)
    const rest = await after.stream({ message: question, turnId: begun, afterSeq: seen.length })
    const events = [...seen, ...rest.pieces.map(fromStreamResponse).filter((event) => event !== null)]
    expect(reduceTurn(events, begun)).toMatchObject({ state: 'failed', text: 'half', error: { code: 'unavailable' }, gapAfter: null })
    const answered = await after.stream({ message: question, turnId: silent })
    const view = reduceTurn(
      answered.pieces.map(fromStreamResponse).filter((event) => event !== null),
      silent
    )
    expect(view).toMatchObject({ state: 'done', text: 'whole', gapAfter: null })
  })

  it('goes when the npm that started it is told to go', async () => {
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path }, ['npm', 'run', '--silent', 'service'])
    const { port } = new URL(`http://${program.ready?.http}`)
    program.child.kill('SIGTERM')
    await program.exited
    const deadline = performance.now() + 5_000
    let isOpen = true
    while (isOpen && performance.now() < deadline) {
      isOpen = await fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => true,
        () => false
      )
    }
    expect(isOpen).toBe(false)
  })

  const limited = ['/bin/sh', '-c', `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`, ...serveCommand] as const
  it.each([
    ['the HTTP port is in use', { PORT: 'taken' }, serveCommand, /^Port 127\.0\.0\.1:\d+ is in use by another program\. .*PORT/],
    [
      'the gRPC port is in use',
      { AI_SERVICE_PORT: 'taken' },
      serveCommand,
      /^Port 127\.0\.0\.1:\d+ is in use by another program\. .*AI_SERVICE_PORT/
    ],
    [
      'the address is another machine’s',
      { AI_SERVICE_HOST: '203.0.113.7' },
      serveCommand,
      /^The address 203\.0\.113\.7:0 is not one of this machine\./
    ],
    ['a setting is malformed', { AI_SERVICE_TIMEOUT: 'soon' }, serveCommand, /^Configuration: AI_SERVICE_TIMEOUT /],
    ['a setting is unknown', { AI_SERVICE_PROT: '1' }, serveCommand, /^Configuration: AI_SERVICE_PROT /],
    ['the folder can’t be written', { ASIDE_DATA_DIR: '/proc/nowhere' }, serveCommand, /^Aside can't write to \/proc\/nowhere.*ASIDE_DATA_DIR/],
    ['the disk is full', {}, limited, /^The disk that holds .* is full or failing/]
  ] as const)('says in one sentence, without a stack, that %s', async (_what, settings, command, sentence) => {
    await using taken = await occupiedPort()
    const chosen = Object.entries(settings).map(([name, value]) => [name, value === 'taken' ? String(taken.port) : value])
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path, ...Object.fromEntries(chosen) }, command)
    expect(await program.exited).toEqual({ code: 1, signal: null })
    expect(program.ready).toBeNull()
    const said = program.output.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    expect(said).toEqual([expect.stringMatching(sentence)])
    expect(program.output.stderr).not.toContain('    at ')
  })

  it('refuses a second one on the same data', async () => {
    await using first = await startProgram({ ASIDE_DATA_DIR: folder.path })
    expect(first.ready).not.toBeNull()
    await using second = await startProgram({ ASIDE_DATA_DIR: folder.path })
    expect(await second.exited).toMatchObject({ code: 1 })
    expect(second.output.stderr).toContain('Another Aside service already uses')
  })
})

describe('the token program', () => {
  it('says who pays and what they may', async () => {
    const claims = decodeJwt(await tokenFor('ben', '--org', 'contoso', '--tier', 'STARTER', '--role', 'manager'))
    expect(claims).toMatchObject({ sub: 'ben', role: 'manager', org: 'contoso', tier: 'STARTER' })
    expect(Object.keys(decodeJwt(await tokenFor('ben')))).not.toEqual(expect.arrayContaining(['org']))
  })

  it.each([
    [[]],
    [['--user', '']],
    [['--user', 'a', '--ttl', 'soon']],
    [['--user', 'a', '--role', '../x']],
    [['--user', 'a', '--role', 'admn']],
    [['--user', 'service']],
    [['--user', 'a', '--org', 'user:b']],
    [['--usr', 'a']],
    [['--user', 'a', '--ttl', '9999d']],
    [['--user', 'a', '--org', ' ']],
    [['--user', 'a', '--tier', 'GOLD']]
  ])('refuses %j with one line', async (args) => {
    const failed = await run(process.execPath, [`${root}src/service/bin/token.ts`, ...args], { env: { ASIDE_DATA_DIR: folder.path } }).catch(
      (error: unknown) => error
    )
    expect(failed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^[^\n]+Usage: [^\n]+\n$/) })
  })
})

describe('embedded', () => {
  function embed(more: Record<string, string> = {}) {
    const child = fork(`${root}src/service/bin/serve.ts`, [], {
      cwd: root,
      execArgv: ['--import', new URL('../fakes/service-parent-port.ts', import.meta.url).href],
      env: {
        PORT: '0',
        AI_SERVICE_PORT: '0',
        ASIDE_FIND_OLLAMA: '0',
        ASIDE_DATA_DIR: folder.path,
        ASIDE_RESOURCES_DIR: `${root}test/fixtures`,
        ASIDE_LAUNCH_TOKEN: 'for-this-launch',
        ...more
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    return {
      child,
      exited: once(child, 'exit').then(([code]: unknown[]) => code),
      message: once(child, 'message').then(([message]: unknown[]) => message as Record<string, string>)
    }
  }

  it('posts where it listens, accepts the launch token, and stops when told', async () => {
    const { child, exited, message } = embed()
    let stdout = ''
    child.stdout?.on('data', (text) => (stdout += String(text)))
    const ready = await message
    expect(ready).toMatchObject({ ready: true })
    await using grpc = grpcClient(ready['grpc'] ?? '', 'for-this-launch')
    expect((await grpc.stream({ message: question, userId: 'local' })).error).toBeNull()
    child.send({ type: 'stop' })
    expect(await exited).toBe(0)
    expect(stdout).toBe('')
  })

  it('posts the sentence when it can’t start', async () => {
    const { exited, message } = embed({ AI_CACHE_TTL: 'x' })
    expect(await message).toEqual({ ready: false, message: expect.stringContaining('AI_CACHE_TTL') })
    expect(await exited).toBe(1)
  })

  it('goes when its parent goes', async () => {
    const { child, exited, message } = embed()
    await message
    child.disconnect()
    expect(await exited).toBe(0)
  })
})

describe('clients in another language, which know only the base fields', () => {
  async function python(script: string, ...args: string[]): Promise<Record<string, unknown>> {
    const { stdout } = await run(PYTHON, ['-B', `${root}test/peers/${script}`, ...args]).catch((error: { stderr?: string; message: string }) => {
      throw new Error(error.stderr?.trim() ?? error.message)
    })
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const joined = (heard: Record<string, unknown>): string => (heard['pieces'] as [string, boolean, string][]).map(([text]) => text).join('')

  it('converse over gRPC', async () => {
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path })
    const heard = await python('grpc_client.py', program.ready?.grpc ?? '', await tokenFor('python'), question)
    expect(heard).toMatchObject({ healthy: true, status: 'serving', timestamp: expect.any(Number), message_id: expect.any(String) })
    const pieces = heard['pieces'] as [string, boolean, string][]
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.map(([, isFinal]) => isFinal)).toEqual([...pieces.slice(1).map(() => false), true])
    expect(new Set(pieces.map(([, , id]) => id)).size).toBe(1)
    expect(joined(heard)).toContain('Frozen class for archives')
    expect(heard['response']).toBe(joined(heard))
    expect(await python('grpc_client.py', program.ready?.grpc ?? '', '', question)).toMatchObject({
      healthy: true,
      error: ['UNAUTHENTICATED', expect.any(String)]
    })
    expect(await python('grpc_client.py', program.ready?.grpc ?? '', await tokenFor('python'), ' ')).toMatchObject({
      error: ['INVALID_ARGUMENT', expect.stringContaining('empty')]
    })
  })

  it.each(['websocket', 'polling'])('converse over Socket.IO, %s', async (transport) => {
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path })
    const url = `http://${program.ready?.http}`
    const heard = await python('socketio_client.py', url, await tokenFor('python'), question, transport)
    expect(heard).toMatchObject({ transport, errors: [], timestamp: expect.any(Number) })
    expect(joined(heard)).toContain('Frozen class for archives')
    expect(heard['response']).toBe(joined(heard))
    expect(heard['statuses']).toContain('Answering')
    expect(await python('socketio_client.py', url, 'forged', question, transport)).toMatchObject({ refused: expect.any(String) })
    expect(await python('socketio_client.py', url, await tokenFor('python'), '', transport)).toMatchObject({
      pieces: [],
      errors: expect.arrayContaining([4002])
    })
  })
})
