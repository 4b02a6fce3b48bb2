// Two services as the programs they ship as, on one Redis: what one began the other tells on, also when the first is killed.
import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { reduceTurn, type TurnEvent } from '../../src/shared/turn.ts'
import { fromStreamResponse } from '../../src/shared/wire/grpc.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { grpcClient, root, startProgram, type Spoken } from '../fakes/service-running.ts'
import { chunk, startUpstream, stream } from '../fakes/service-upstream.ts'
import { hasRedisServer, startRedis } from '../servers/redis.ts'

const message = 'Which Harbor class for archives?'
/** The answer to the first is remembered. */
const other = 'And which Harbor class for backups?'
const done = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
const eventsOf = ({ pieces }: Spoken): TurnEvent[] => pieces.map(fromStreamResponse).filter((event) => event !== null)

describe.skipIf(!hasRedisServer)('two services on one Redis', { timeout: 60_000 }, () => {
  it('tell each other’s answers, live and after one was killed in the midst of one', async () => {
    await using redis = await startRedis({ durability: 'always', password: 'hunter2' })
    await using folders = await tempFolder()
    await using upstream = await startUpstream()
    const folder = (name: string): string => join(folders.path, name)
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}src/service/bin/token.ts`, '--user', 'anna'], {
      env: { ASIDE_DATA_DIR: folder('one') }
    })
    // Tokens and seals of one are those of the other.
    await mkdir(join(folder('two'), 'service'), { recursive: true })
    await copyFile(join(folder('one'), 'service', 'token-key.json'), join(folder('two'), 'service', 'token-key.json'))
    const settings = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: 'm', REDIS_URL: redis.url }
    await using one = await startProgram({ ...settings, ASIDE_DATA_DIR: folder('one') })
    await using two = await startProgram({ ...settings, ASIDE_DATA_DIR: folder('two') })
    await using here = grpcClient(one.ready?.grpc ?? '', stdout.trim())
    await using there = grpcClient(two.ready?.grpc ?? '', stdout.trim())

    const more = Promise.withResolvers<void>()
    upstream.script(async (response) => {
      stream(response).write(chunk('first '))
      await more.promise
      response.end(`${chunk('last')}${done}`)
    })
    const live = uuidv7()
    const heard = here.stream({ message, turnId: live }, ({ content }) => {
      if (content === 'first ')
        void there.stream({ message, turnId: live }, (piece) => piece.content === 'first ' && more.resolve()).then(told.resolve)
    })
    const told = Promise.withResolvers<Spoken>()
    expect(reduceTurn(eventsOf(await heard), live)).toMatchObject({ state: 'done', text: 'first last', gapAfter: null })
    expect(eventsOf(await told.promise)).toEqual(eventsOf(await heard))

    upstream.script((response) => void stream(response).write(chunk('half ')))
    const cut = uuidv7()
    const begun = await here.stream({ message: other, turnId: cut }, ({ content }) => content === 'half ' && one.child.kill('SIGKILL'))
    expect(begun.error).not.toBeNull()
    upstream.script((response) => void stream(response).end(`${chunk('half and whole')}${done}`))
    const seen = eventsOf(begun)
    const rest = await there.stream({ message: other, turnId: cut, afterSeq: seen.length })
    expect(rest.error).toBeNull()
    expect(reduceTurn([...seen, ...eventsOf(rest)], cut)).toMatchObject({ state: 'done', text: 'half and whole', gapAfter: null })
    for (const { output } of [one, two]) expect(output.stderr).not.toMatch(/hunter2|Harbor/)
    expect(two.output.stderr).toContain('"turns.taken_up"')
  })

  it('say in one line what is wrong with their Redis, and start nothing', async () => {
    await using redis = await startRedis({ password: 'right' })
    await using folder = await tempFolder()
    for (const [url, sentence] of [
      [`redis://:hunter2@127.0.0.1:${redis.port}`, /refused the user or password/],
      ['redis://127.0.0.1:1', /can't be reached \(ECONNREFUSED\)/]
    ] as const) {
      await using program = await startProgram({ ASIDE_DATA_DIR: folder.path, REDIS_URL: url })
      expect(program.ready).toBeNull()
      expect((await program.exited).code).toBe(1)
      expect(program.output.stderr).toMatch(sentence)
      expect(program.output.stderr).not.toContain('hunter2')
    }
  })
})
