// Keys of other services: made once, revoked without a restart, never readable again.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { fakeClock, tempFolder } from '../../../test/fakes/service-parts.ts'
import { addClientKey, createClientKeys, readClientKeys, revokeClientKey } from './clientKeys.ts'

async function setUp() {
  const folder = await tempFolder()
  const clock = fakeClock()
  const add = (name: string, ttlMs: number | null = null) => addClientKey(folder.path, { name, now: clock.now(), ttlMs })
  const pass = (ms: number): void => clock.set(clock.now() + ms)
  const keys = createClientKeys({ dataDir: folder.path, clock })
  return { path: folder.path, clock, add, pass, keys, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('client keys', () => {
  it('let another service in under its own name, and nothing near them', async () => {
    await using house = await setUp()
    const { id, key } = await house.add('Reporting')
    expect(house.keys.verify(key)).toEqual({ userId: `client:${id}`, role: 'service', expiresAt: null })
    expect(house.keys.verify('eyJ.a.b')).toBeNull()
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`
    expect(() => house.keys.verify(wrong)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })

  it('stop working when they are revoked or run out, without a restart', async () => {
    await using house = await setUp()
    const lasting = await house.add('Lasting')
    const short = await house.add('Short', 60_000)
    expect(house.keys.verify(lasting.key)?.role).toBe('service')
    expect(house.keys.verify(short.key)?.expiresAt).toBe(house.clock.now() + 60_000)
    expect(await revokeClientKey(house.path, lasting.id, house.clock.now())).toBe(true)
    expect(await revokeClientKey(house.path, lasting.id, house.clock.now())).toBe(false)
    house.pass(1_000)
    expect(() => house.keys.verify(lasting.key)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
    expect(house.keys.verify(short.key)?.role).toBe('service')
    house.pass(60_000)
    expect(() => house.keys.verify(short.key)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })

  it('are told of once when they are revoked or gone, and so is a file that can’t be read', async () => {
    await using house = await setUp()
    const [first, second, third] = [await house.add('First'), await house.add('Second'), await house.add('Third')]
    const file = join(house.path, 'client-keys.json')
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const revoked: string[] = []
      const faults: unknown[] = []
      const end = house.keys.watch({ revoked: (userId) => revoked.push(userId), fault: (error) => faults.push(error) })
      const look = (times: number): void => {
        for (let index = 0; index < times; index += 1) {
          house.pass(1_000)
          vi.advanceTimersByTime(1_000)
        }
      }
      look(2)
      expect(revoked).toEqual([])
      await revokeClientKey(house.path, first.id, house.clock.now())
      look(3)
      expect(revoked).toEqual([`client:${first.id}`])
      const kept = readClientKeys(house.path)
      await writeFile(file, 'no keys')
      look(3)
      expect(faults).toEqual([expect.objectContaining({ code: 'unavailable' })])
      await writeFile(file, JSON.stringify(kept.filter(({ id }) => id === third.id)))
      look(1)
      expect(revoked).toEqual([first, second].map(({ id }) => `client:${id}`))
      end()
      await revokeClientKey(house.path, third.id, house.clock.now())
      look(2)
      expect([revoked.length, faults.length]).toEqual([2, 1])
    } finally {
      vi.useRealTimers()
    }
  })

  it('are kept as hashes in a file of the owner only', async () => {
    await using house = await setUp()
    const { key } = await house.add('Reporting')
    const file = join(house.path, 'client-keys.json')
    expect(await readFile(file, 'utf8')).not.toContain(key.slice(15))
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('let nobody in by a damaged file, and leave it as it is', async () => {
    await using house = await setUp()
    const { key } = await house.add('Reporting')
    const file = join(house.path, 'client-keys.json')
    await writeFile(file, '[{"id":')
    expect(() => house.keys.verify(key)).toThrow(expect.objectContaining({ code: 'unavailable' }))
    await expect(house.add('Other')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await readFile(file, 'utf8')).toBe('[{"id":')
    expect(() => readClientKeys(house.path)).toThrow('Repair it')
  })
})
