// Files to be imported, good, broken and hostile: each makes records or ends in a sentence, and none costs memory or time.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  appendFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chatgptConversation, zipOf } from '../../../test/fakes/chatgptExport.ts'
import type { HistoryRecord } from '../history/records.ts'
import { readImport, type Reading, type ReadOptions } from './reading.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aside-import-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function readPath(path: string, options: ReadOptions = {}): Promise<Reading & { readonly records: HistoryRecord[] }> {
  const batches = readImport(path, options)
  const records: HistoryRecord[] = []
  for (;;) {
    const next = await batches.next()
    if (next.done === true) return { ...next.value, records }
    records.push(...next.value.records)
  }
}
function read(content: string | Uint8Array, options: ReadOptions = {}): ReturnType<typeof readPath> {
  const path = join(folder, 'file')
  writeFileSync(path, content)
  return readPath(path, options)
}
const json = (...conversations: unknown[]): string => JSON.stringify(conversations)
const [one, two] = [chatgptConversation('c1', [{}, {}]), chatgptConversation('c2', [{}, {}, {}])]
const aside = (records: readonly unknown[], change: object = {}): string => {
  const count = (kind: string): number => records.filter((record) => (record as { kind?: string }).kind === kind).length
  const counts = { sessions: count('session'), messages: count('message'), usage: count('usage') }
  return JSON.stringify({ format: 'aside-history', version: 1, records, counts, ...change })
}
const session = {
  kind: 'session',
  id: 's1',
  title: 'Review',
  clientName: '',
  meetingType: '',
  projectContext: '',
  serviceTypes: [],
  cloudProviders: [],
  customFields: {},
  notes: '',
  status: 'active',
  pinned: false,
  createdAt: '2026-01-15T09:00:00.000Z',
  updatedAt: '2026-01-15T09:00:00.000Z',
  lastActivityAt: '2026-01-15T09:00:00.000Z',
  expiresAt: null
}
const message = {
  kind: 'message',
  id: 'm1',
  turnId: null,
  role: 'user',
  createdAt: '2026-01-15T09:00:00.000Z',
  quickAction: null,
  delivery: null,
  text: 'Hi'
}

describe('what is read', () => {
  it('reads conversations.json, a zip with it, and a zip with its parts alike', async () => {
    const plain = await read(json(one, two))
    const zip = await read(
      zipOf([
        { name: 'chat.html', data: '<html>' },
        { name: 'conversations.json', data: json(one, two) }
      ])
    )
    const parts = await read(
      zipOf([
        { name: 'export/conversations-001.json', data: json(two) },
        { name: 'export/conversations-000.json', data: json(one) }
      ])
    )
    expect(plain).toMatchObject({ source: 'chatgpt', sessions: 2, messages: 5, from: 1_700_000_000_250, to: 1_700_000_002_250, remarks: [] })
    expect([zip.records, parts.records]).toEqual([plain.records, plain.records])
  })
  it('reads an export of Aside, also behind a byte order mark', async () => {
    const reading = await read(`\uFEFF${aside([session, message])}`)
    expect(reading).toMatchObject({ source: 'aside', sessions: 1, messages: 1, sessionIds: ['s1'] })
    expect(reading.records.map(({ kind }) => kind)).toEqual(['session', 'message'])
  })
  it('takes a session that is in the file twice once, and says so', async () => {
    const reading = await read(json(one, two, one))
    expect([reading.sessions, reading.messages, reading.remarks]).toEqual([2, 5, ['1 session is in the file twice and will be imported once.']])
  })
  it('has the same checksum for the same words only', async () => {
    const [first, again, other] = [await read(json(one)), await read(json(one)), await read(json(two))]
    expect(again.sha256).toBe(first.sha256)
    expect(other.sha256).not.toBe(first.sha256)
  })
  it('leaves out what is no conversation, and says how much', async () => {
    const reading = await read(json(one, null, 'x', { mapping: [] }, chatgptConversation('empty', [{ text: '' }])))
    expect(reading.sessions).toBe(1)
    expect(reading.remarks).toEqual([
      '1 conversation is empty and will be left out.',
      '3 entries are no conversation that Aside can read and will be left out.'
    ])
  })
})

describe('broken files end in a sentence', () => {
  const cases: Readonly<Record<string, readonly [content: string | Uint8Array, says: RegExp]>> = {
    'an empty file': ['', /empty/],
    spaces: [' \n\t ', /neither/],
    'no JSON at all': ['PDF-1.7', /neither/],
    'a list that ends in the middle': [json(one).slice(0, -40), /ends in the middle/],
    'an object that ends in the middle': [aside([session, message]).slice(0, -40), /ends in the middle/],
    'a comma too much': ['[1,]', /not JSON/],
    'something behind the end': [`${json(one)} {}`, /not JSON/],
    'an element that is no JSON': ['[{"a":tru}]', /not JSON/],
    'an empty list': ['[]', /no conversation/],
    'a list of other things': ['[{"role":"user","content":"Hi"}]', /format that is too new|no export of ChatGPT/],
    'an object of something else': ['{"messages":[]}', /neither an export of Aside nor one of ChatGPT/],
    'UTF-16': [Buffer.from(json(one), 'utf16le'), /UTF-16/],
    'UTF-16 with a mark': [Buffer.from(`\uFEFF${json(one)}`, 'utf16le'), /UTF-16/],
    'Latin-1': [Buffer.from(json(chatgptConversation('c', [{ text: 'Zürich' }])), 'latin1'), /UTF-8/],
    'a newer version': [aside([session], { version: 2 }), /newer version of Aside.*Update Aside/],
    'a version that is none': [aside([session], { version: 'x' }), /does not say which version/],
    'a missing version': ['{"format":"aside-history","records":[{}]}', /does not say which version/],
    'records before the head': ['{"records":[{}],"format":"aside-history","version":1}', /neither/],
    'two lists of records': [`{"format":"aside-history","version":1,"records":[],"records":[],"counts":{}}`, /twice/],
    'no counts': ['{"format":"aside-history","version":1,"records":[]}', /how much it holds/],
    'other counts': [
      aside([session, message], { counts: { sessions: 1, messages: 2, usage: 0 } }),
      /says that it holds 1 sessions and 2 messages, but has 1 and 1/
    ],
    'a message of no session': [aside([message]), /message of no session/],
    'a record that is not ours': [aside([session, { ...message, role: 'god' }]), /Record 2 .*role/],
    'a date that is none': [aside([{ ...session, createdAt: 'yesterday' }]), /Record 1 .*time/],
    'a date before 1970': [aside([{ ...session, createdAt: '-000001-01-01T00:00:00.000Z' }]), /Record 1 .*time/],
    'a question that waits': [
      aside([session, { ...message, delivery: { state: 'waiting', attempts: 0, acceptedAt: session.createdAt, confirmedAt: null, error: null } }]),
      /Record 2 .*delivery/
    ],
    '100,000 levels': ['['.repeat(100_000), /nested more than 100 levels/],
    '100,000 levels inside a message': [json({ mapping: {} }).replace('{}', '['.repeat(100_000)), /nested more than 100 levels/]
  }
  for (const [name, [content, says]] of Object.entries(cases)) {
    it(name, async () => {
      await expect(read(content)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringMatching(says) as unknown })
      await expect(read(content)).rejects.toMatchObject({ message: expect.stringMatching(/Nothing was imported\.$/) as unknown })
    })
  }
  it('cut anywhere, never half read as whole', async () => {
    const whole = Buffer.from(aside([session, message]))
    for (let at = 1; at < whole.length - 1; at += 7)
      await expect(read(whole.subarray(0, at)), `cut at ${at}`).rejects.toMatchObject({ code: 'invalid_request' })
  })
  it('an older version is brought up to date by the steps there are', async () => {
    const { createAsideReader } = await import('./asideFile.ts')
    const reader = createAsideReader({ upgrades: [(record) => ({ ...(record as object), pinned: false })] })
    const part = (name: string | null, value: unknown) => reader.read({ name, bytes: Buffer.from(JSON.stringify(value)) })
    const { pinned: _pinned, ...old } = session
    part('format', 'aside-history')
    part('version', 1)
    expect(part(null, old)).toMatchObject({ kind: 'session', pinned: false })
    expect(() => part('version', 3)).toThrow(/newer version/)
  })
})

describe('archives', () => {
  const refused = (zip: Buffer, says: RegExp) =>
    expect(read(zip)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringMatching(says) as unknown })
  it('refuses one without conversations', () => refused(zipOf([{ name: 'chat.html', data: 'x' }]), /no conversations\.json/))
  it('refuses one inside another', () =>
    refused(zipOf([{ name: 'export.zip', data: zipOf([{ name: 'conversations.json', data: json(one) }]) }]), /no conversations\.json/))
  it('refuses names that lead out of it', async () => {
    for (const name of ['../conversations.json', '/etc/conversations.json', 'a/../../conversations.json', 'C:/conversations.json']) {
      await refused(zipOf([{ name, data: json(one) }]), /damaged|can’t read/)
    }
  })
  it('refuses one with a password', () => refused(zipOf([{ name: 'conversations.json', data: json(one), encrypted: true }]), /password/))
  it('refuses one that was cut anywhere', async () => {
    const zip = zipOf([{ name: 'conversations.json', data: json(one, two) }])
    for (let at = 4; at < zip.length; at += 61) await refused(zip.subarray(0, at), /damaged|incomplete/)
  })
  it('refuses one with a flipped bit in it', async () => {
    const zip = zipOf([{ name: 'conversations.json', data: json(one, two) }])
    for (let at = 60; at < zip.length - 150; at += 53) {
      const flipped = Buffer.from(zip)
      flipped[at] = (flipped[at] ?? 0) ^ 0x10
      await expect(read(flipped), `bit at ${at}`).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })
  it('refuses one whose directory lies about a size or a checksum', async () => {
    await refused(zipOf([{ name: 'conversations.json', data: json(one), claimedSize: 10 }]), /damaged/)
    await refused(zipOf([{ name: 'conversations.json', data: json(one), claimedCrc: 1 }]), /damaged/)
  })
  it('refuses a bomb before it is unpacked', () =>
    refused(zipOf([{ name: 'conversations.json', data: Buffer.alloc(32 * 1_048_576, 0x20) }]), /far more than it could honestly hold/))
})

describe('files that are no files', () => {
  it('refuses a folder, a pipe, a device, and what is not there, at once', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect(readPath(pipe)).rejects.toThrow(/pipe or a device/)
    await expect(readPath(folder)).rejects.toThrow(/folder/)
    await expect(readPath('/dev/zero')).rejects.toThrow(/pipe or a device/)
    await expect(readPath(join(folder, 'none'))).rejects.toMatchObject({ code: 'not_found' })
  })
  it('follows a link to a file, and to nothing else', async () => {
    writeFileSync(join(folder, 'real.json'), json(one))
    symlinkSync('real.json', join(folder, 'link'))
    expect(await readPath(join(folder, 'link'))).toMatchObject({ sessions: 1 })
    mkdirSync(join(folder, 'sub'))
    symlinkSync('sub', join(folder, 'other'))
    await expect(readPath(join(folder, 'other'))).rejects.toThrow(/folder/)
  })
  it.skipIf(process.getuid?.() === 0)('says that it may not read a file', async () => {
    writeFileSync(join(folder, 'secret'), json(one))
    chmodSync(join(folder, 'secret'), 0)
    await expect(readPath(join(folder, 'secret'))).rejects.toMatchObject({ code: 'forbidden' })
  })
  it('notices that a file changed while it was read, whether or not it could be read', async () => {
    const path = join(folder, 'growing.json')
    for (const more of [' ', 'garbage']) {
      writeFileSync(path, json(one, two))
      const batches = readImport(path, { batchCharacters: 1 })
      await batches.next()
      appendFileSync(path, more)
      const drained = (async () => {
        for (let next = await batches.next(); next.done !== true;) next = await batches.next()
      })()
      await expect(drained).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/changed while it was read/) as unknown
      })
    }
  })
})

describe('size', () => {
  it('refuses an entry of more than it may hold, however long the line is, without holding it', async () => {
    const path = join(folder, 'line.json')
    writeFileSync(path, '[{"title":"')
    // A sparse file: a gigabyte of NUL, which is no JSON either; only the size counts here.
    truncateSync(path, 1_073_741_824)
    const before = process.memoryUsage.rss()
    const began = performance.now()
    await expect(readPath(path)).rejects.toThrow(/larger than 64 MB/)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1_048_576)
  })
  it('reads a file of any size in the memory of one entry', async () => {
    const path = join(folder, 'large.json')
    const file = openSync(path, 'w')
    const text = 'Wörter und Zahlen 1234. '.repeat(20_000)
    for (let n = 0; n < 120; n += 1) writeSync(file, `${n === 0 ? '[' : ','}${JSON.stringify(chatgptConversation(`c${n}`, [{ text }]))}`)
    writeSync(file, ']')
    closeSync(file)
    const before = process.memoryUsage.rss()
    let messages = 0
    for await (const { records } of readImport(path)) messages += records.filter(({ kind }) => kind === 'message').length
    expect(messages).toBe(120)
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1_048_576)
  })
})
