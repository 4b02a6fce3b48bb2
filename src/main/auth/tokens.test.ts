import { describe, expect, test } from 'vitest'
import { createManualTime } from '../../../test/fakes/link-timers.ts'
import { createTokenKeeper, fixedToken, launchToken, type Token, type TokenSource } from './tokens.ts'

const never = new AbortController().signal
const ask = { refresh: false, signal: never }
const refresh = { refresh: true, signal: never }

function source(...tokens: Token[]): TokenSource & { readonly refused: (string | null)[]; readonly gate: PromiseWithResolvers<void> } {
  const refused: (string | null)[] = []
  const gate = Promise.withResolvers<void>()
  return {
    refused,
    gate,
    async obtain(options) {
      refused.push(options.refused?.value ?? null)
      await gate.promise
      return tokens[Math.min(refused.length, tokens.length) - 1] ?? null
    }
  }
}
const forever = (value: string): Token => ({ value, expiresAt: null })

describe('token keeper', () => {
  test('fetches once for all callers, and keeps what it got', async () => {
    const from = source(forever('a'))
    const keeper = createTokenKeeper(from, createManualTime())
    const all = Promise.all([keeper.token(ask), keeper.token(ask), keeper.token(ask)])
    from.gate.resolve()
    expect(await all).toEqual(['a', 'a', 'a'])
    expect(await keeper.token(ask)).toBe('a')
    expect(from.refused).toEqual([null])
  })
  test('refreshes once for all callers that were refused, and tells the source which token it was', async () => {
    const from = source(forever('a'), forever('b'))
    from.gate.resolve()
    const keeper = createTokenKeeper(from, createManualTime())
    await keeper.token(ask)
    expect(await Promise.all([keeper.token(refresh), keeper.token(refresh), keeper.token(ask)])).toEqual(['b', 'b', 'b'])
    expect(from.refused).toEqual([null, 'a'])
  })
  test('fetches ahead of expiry', async () => {
    const time = createManualTime(0)
    const from = source({ value: 'a', expiresAt: 300_000 }, forever('b'))
    from.gate.resolve()
    const keeper = createTokenKeeper(from, time)
    expect(await keeper.token(ask)).toBe('a')
    await time.pass(239_000)
    expect(await keeper.token(ask)).toBe('a')
    await time.pass(2_000)
    expect(await keeper.token(ask)).toBe('b')
  })
  test('lets one caller give up without ending it for the others', async () => {
    const from = source(forever('a'))
    const keeper = createTokenKeeper(from, createManualTime())
    const controller = new AbortController()
    const impatient = keeper.token({ refresh: false, signal: controller.signal })
    const patient = keeper.token(ask)
    controller.abort()
    await expect(impatient).rejects.toMatchObject({ code: 'cancelled' })
    from.gate.resolve()
    expect(await patient).toBe('a')
  })
  test('tries again after a failure', async () => {
    let calls = 0
    const keeper = createTokenKeeper(
      { obtain: () => (++calls === 1 ? Promise.reject(new Error('no')) : Promise.resolve(forever('a'))) },
      createManualTime()
    )
    await expect(keeper.token(ask)).rejects.toThrow('no')
    expect(await keeper.token(ask)).toBe('a')
  })
})

test('a fixed token that was refused is not tried again', async () => {
  const keeper = createTokenKeeper(fixedToken('secret'), createManualTime())
  expect(await keeper.token(ask)).toBe('secret')
  await expect(keeper.token(refresh)).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(await createTokenKeeper(fixedToken(null), createManualTime()).token(ask)).toBeNull()
})

test('the launch token is the one of the latest start', async () => {
  let current: string | null = null
  const keeper = createTokenKeeper(
    launchToken(() => current),
    createManualTime()
  )
  expect(await keeper.token(ask)).toBeNull()
  current = 'second start'
  expect(await keeper.token(refresh)).toBe('second start')
})
