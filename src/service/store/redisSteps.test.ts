// Who travels with whom, and what each is told; on a Redis that only notes what it is asked (test/contracts/redis.test.ts has a real one).
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRedisSteps, type RedisProgram } from './redisSteps.ts'

describe('steps of Redis', () => {
  const setUp = (answers: (values: readonly string[]) => unknown = (values) => values.filter((value) => value === '1').map(() => ['done'])) => {
    const calls: { readonly program: RedisProgram; readonly keys: readonly string[]; readonly values: readonly string[] }[] = []
    const script = createRedisSteps({
      translate: (error) => error,
      call: async (program, keys, values) => {
        calls.push({ program, keys, values })
        return answers(values)
      }
    })
    return { calls, script }
  }
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('travel together when they are asked for in one tick, each with its own keys and values', async () => {
    const { calls, script } = setUp(() => [['a'], [7], [], [[null, 'x']]])
    const [first, second] = [script('return 1'), script('return 2')]
    const replies = Promise.all([first(['k'], ['v', 'w']), second([], []), first(['l', 'm'], ['x']), second([], [])])
    await vi.runAllTimersAsync()
    expect(await replies).toEqual(['a', 7, null, [null, 'x']])
    expect(calls.map(({ keys, values }) => [keys, values])).toEqual([
      [
        ['k', 'l', 'm'],
        ['1', '1', '2', 'v', 'w', '2', '0', '0', '1', '2', '1', 'x', '2', '0', '0']
      ]
    ])
  })

  it('wait for nothing while there are few, and a few ms for more under load, whether or not Redis has answered', async () => {
    const { calls, script } = setUp()
    const ask = script('return 1')
    const some = (count: number): void => {
      for (let index = 0; index < count; index += 1) void ask([], [])
    }
    some(1)
    await vi.advanceTimersToNextTimerAsync()
    some(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(calls).toHaveLength(2)
    some(8)
    await vi.advanceTimersByTimeAsync(0)
    expect(calls).toHaveLength(3)
    some(1)
    await vi.advanceTimersByTimeAsync(3)
    some(1)
    expect(calls).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    expect(calls.map(({ values }) => values.length / 3)).toEqual([1, 1, 8, 2])
  })

  it('go in several calls when they are too many for one', async () => {
    const { calls, script } = setUp()
    const ask = script('return 1')
    const all = Promise.all(Array.from({ length: 1_100 }, () => ask([], [])))
    await vi.runAllTimersAsync()
    expect(await all).toHaveLength(1_100)
    expect(calls.map(({ values }) => values.length / 3)).toEqual([512, 512, 76])
  })

  it('are told their own faults, also in the words of Redis 6, and all of them when a call fails', async () => {
    const { script } = setUp(() => ['OOM command not allowed', '@user_script: 12: -READONLY no writes', [1]])
    const ask = script('return 1')
    const told = Promise.allSettled([ask([], []), ask([], []), ask([], [])])
    await vi.runAllTimersAsync()
    expect(await told).toMatchObject([
      { reason: { message: 'OOM command not allowed' } },
      { reason: { message: 'READONLY no writes' } },
      { status: 'fulfilled', value: 1 }
    ])
    const fails = setUp(() => {
      throw new Error('away')
    }).script('return 1')
    const failed = Promise.allSettled([fails([], []), fails([], [])])
    await vi.runAllTimersAsync()
    expect((await failed).map((one) => one.status === 'rejected' && String(one.reason))).toEqual(['Error: away', 'Error: away'])
  })

  it('know each script that was made since the last call', async () => {
    const { calls, script } = setUp()
    void script('return "one"')([], [])
    await vi.runAllTimersAsync()
    void script('return "two"')([], []).catch(() => undefined)
    await vi.runAllTimersAsync()
    expect(calls[0]?.program.text).not.toContain('"two"')
    expect(calls[1]?.program.text).toContain('"one"')
    expect(calls[1]?.program.text).toContain('"two"')
    expect(calls[1]?.program.name).not.toBe(calls[0]?.program.name)
  })
})
