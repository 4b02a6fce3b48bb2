import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { createSecrets, type Secrets } from './secrets.ts'
import type { Vault } from './vault.ts'

/** Flips every byte: enough to see that nothing readable reaches the file. */
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff)
const vault: Vault = { kind: 'vault', seal: (secret) => Promise.resolve(flip(secret)), open: (sealed) => Promise.resolve(flip(sealed)) }

let folder: string
let file: string
const make = (with_: Vault = vault): Secrets => createSecrets({ file, vault: with_, clock: { now: () => 77 } })
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aside-secrets-'))
  file = join(folder, 'secrets.json')
})
afterEach(async () => {
  await chmod(folder, 0o700)
  await rm(folder, { recursive: true })
})

test('keeps what it is given across a restart, sealed, in a file of this account only', async () => {
  await make().set('provider.openai', 'sk-ünï-😀')
  expect(await make().get('provider.openai')).toBe('sk-ünï-😀')
  expect(await readFile(file, 'utf8')).not.toContain('sk-')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['secrets.json'])
})
test('knows nothing before it is told, nor what was taken back', async () => {
  const secrets = make()
  expect(await secrets.get('a')).toBeNull()
  expect(await secrets.get('__proto__')).toBeNull()
  await secrets.set('a', '1')
  await secrets.set('a', null)
  expect(await secrets.get('a')).toBeNull()
})
test('loses no change when many come at once', async () => {
  const secrets = make()
  await Promise.all(Array.from({ length: 20 }, (_unused, index) => secrets.set(`key${index}`, `${index}`)))
  expect(await Promise.all(Array.from({ length: 20 }, (_unused, index) => secrets.get(`key${index}`)))).toEqual(
    Array.from({ length: 20 }, (_unused, index) => `${index}`)
  )
})
test('sets a damaged file aside, says where, and goes on with an empty one', async () => {
  await writeFile(file, '{"version":1,"sealed":{"a":')
  const secrets = make()
  await expect(secrets.get('a')).rejects.toThrow(`${file}.damaged-77`)
  expect(await readFile(`${file}.damaged-77`, 'utf8')).toContain('sealed')
  await secrets.set('a', '1')
  expect(await secrets.get('a')).toBe('1')
})
test('passes on that the vault can’t open it', async () => {
  await make().set('a', '1')
  const refusing: Vault = { ...vault, open: () => Promise.reject(new CopilotError('unauthenticated', 'another machine')) }
  await expect(make(refusing).get('a')).rejects.toMatchObject({ code: 'unauthenticated' })
})
test('keeps the old value, and goes on, when the file can’t be written', async () => {
  const secrets = make()
  await secrets.set('a', '1')
  const broken: Vault = { ...vault, seal: () => Promise.reject(new CopilotError('unavailable', 'the vault is locked')) }
  await expect(make(broken).set('a', '2')).rejects.toMatchObject({ code: 'unavailable' })
  expect(await secrets.get('a')).toBe('1')
  await rm(folder, { recursive: true })
  await expect(secrets.set('a', '2')).rejects.toMatchObject({ code: 'unavailable' })
  const { mkdir } = await import('node:fs/promises')
  await mkdir(folder)
  await secrets.set('a', '3')
  expect(await secrets.get('a')).toBe('3')
})
