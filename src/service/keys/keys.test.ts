// Keys are sealed on disk, taken anew at each call, rotated while the service runs, and their uses are counted, never shown.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock, keptLog, tempFolder } from '../../../test/fakes/service-parts.ts'
import type { AuditEvent } from '../audit/audit.ts'
import { signingKeys } from '../auth/keys.ts'
import { openKeyFile } from './keyFile.ts'
import { awsCredentials, createKeyRing, type KeyRing } from './keyRing.ts'
import { createKeyFileSealer } from './sealer.ts'
import { sharedSealer } from './sharedSealer.ts'

const secret = 'sk-very-secret-1'

async function ringIn(path: string, fallback: Parameters<typeof createKeyRing>[0]['fallback'] = {}) {
  const events: AuditEvent[] = []
  const logger = keptLog()
  const file = await openKeyFile(path)
  const ring: KeyRing = await createKeyRing({
    file,
    fallback,
    audit: { record: async (event) => void events.push(event) },
    clock: fakeClock(1_000),
    logger,
    lookEveryMs: 3_600_000
  })
  return { file, ring, events, logger }
}

describe('a shared sealer', () => {
  it('is the same in every process with the same signing key, for one purpose alone', async () => {
    await using folder = await tempFolder()
    await using other = await tempFolder()
    const [here, there, stranger] = [await signingKeys(folder.path), await signingKeys(folder.path), await signingKeys(other.path)]
    const sealed = await (await sharedSealer(here, 'p')).seal('words', 'c')
    expect(await (await sharedSealer(there, 'p')).open(sealed, 'c')).toBe('words')
    for (const another of [await sharedSealer(there, 'q'), await sharedSealer(stranger, 'p')]) {
      await expect(another.open(sealed, 'c')).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })
})

describe('sealing', () => {
  const sealer = createKeyFileSealer('ab'.repeat(32))

  it('opens what it sealed, and nothing that was changed, moved to another context, or sealed by another key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.nat(), async (text, place) => {
        const sealed = await sealer.seal(text.toWellFormed(), 'a')
        expect(await sealer.open(sealed, 'a')).toBe(text.toWellFormed())
        await expect(sealer.open(sealed, 'b')).rejects.toMatchObject({ code: 'invalid_request' })
        const bytes = Buffer.from(sealed.slice(3), 'base64')
        bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ 1
        await expect(sealer.open(`v1.${bytes.toString('base64')}`, 'a')).rejects.toMatchObject({ code: 'invalid_request' })
        await expect(createKeyFileSealer('cd'.repeat(32)).open(sealed, 'a')).rejects.toMatchObject({ code: 'invalid_request' })
      }),
      { numRuns: 50 }
    )
    for (const nothing of ['', 'v1.', 'v1.AAAA', 'x']) await expect(sealer.open(nothing, 'a')).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('the key file', () => {
  it('holds no key in plain', async () => {
    await using folder = await tempFolder()
    const file = await openKeyFile(folder.path)
    const { id } = await file.set('openai', `${secret}\n`, 5)
    expect(await readFile(file.path, 'utf8')).not.toContain(secret)
    expect(id).not.toContain(secret)
    expect(await (await openKeyFile(folder.path)).openAll()).toEqual(new Map([['openai', { id, secret }]]))
    expect(await file.list()).toEqual([{ name: 'openai', id, setAt: 5 }])
  })

  it.each(['', '  ', 'two words', 'ü', 'a\u0000b', 'x'.repeat(5_000)])('refuses %j as a key without repeating it', async (bad) => {
    await using folder = await tempFolder()
    const file = await openKeyFile(folder.path)
    await expect(file.set('openai', bad, 1)).rejects.toMatchObject({ code: 'invalid_request', message: expect.not.stringContaining('two words') })
  })

  it('wants both halves of a key of aws', async () => {
    await using folder = await tempFolder()
    const file = await openKeyFile(folder.path)
    await expect(file.set('aws', 'AKIDEXAMPLEEXAMPLE', 1)).rejects.toMatchObject({ code: 'invalid_request' })
    await file.set('aws', 'AKIDEXAMPLEEXAMPLE:se/cret', 1)
    expect(awsCredentials((await file.openAll()).get('aws')?.secret ?? '')).toEqual({ accessKeyId: 'AKIDEXAMPLEEXAMPLE', secretAccessKey: 'se/cret' })
  })

  it('says so when it is damaged', async () => {
    await using folder = await tempFolder()
    await writeFile(join(folder.path, 'provider-keys.json'), '{"version":1,"keys":{"openai":')
    await expect(ringIn(folder.path)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('provider-keys.json') })
  })
})

describe('the key ring', () => {
  it('takes a key that was set a moment ago, and gives up one that was removed', async () => {
    await using folder = await tempFolder()
    const { file, ring, events } = await ringIn(folder.path, { gemini: 'from-environment' })
    expect(ring.take('openai', null)).toBeNull()
    expect(ring.take('gemini', null)).toBe('from-environment')
    const first = await file.set('openai', secret, 1)
    await ring.refresh()
    expect(ring.take('openai', null)).toBe(secret)
    const second = await file.set('openai', 'sk-rotated', 2)
    await ring.refresh()
    expect(ring.take('openai', null)).toBe('sk-rotated')
    await file.remove('openai')
    await ring.refresh()
    expect(ring.has('openai')).toBe(false)
    await ring.stop()
    expect(events.filter(({ action }) => action !== 'provider-key.used').map(({ action, subject }) => [action, subject])).toEqual([
      ['provider-key.set', first.id],
      ['provider-key.set', second.id],
      ['provider-key.removed', second.id]
    ])
  })

  it('accounts for every use by key and organisation, and never for the key itself', async () => {
    await using folder = await tempFolder()
    const { ring, events, logger } = await ringIn(folder.path, { openai: secret })
    for (const organisation of ['a', 'a', 'b', null]) ring.take('openai', organisation)
    await ring.stop()
    expect(events.map(({ action, subject, details }) => [action, subject, details?.['organisation'] ?? null, details?.['count']])).toEqual([
      ['provider-key.used', 'openai-environment', 'a', 2],
      ['provider-key.used', 'openai-environment', 'b', 1],
      ['provider-key.used', 'openai-environment', null, 1]
    ])
    expect(JSON.stringify([events, logger.lines])).not.toContain(secret)
  })

  it('keeps its keys when the file becomes unreadable while it runs', async () => {
    await using folder = await tempFolder()
    const { file, ring } = await ringIn(folder.path)
    await file.set('openai', secret, 1)
    await ring.refresh()
    await writeFile(file.path, 'no json at all')
    await expect(ring.refresh()).rejects.toMatchObject({ code: 'invalid_request' })
    expect(ring.take('openai', null)).toBe(secret)
    await ring.stop()
  })
})
