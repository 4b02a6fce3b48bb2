// A document that is made to do harm ends with its thread; the next one is read.
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pdfOf } from '../../../test/fakes/knowledge-documents.ts'
import { never, tempFolder } from '../../../test/fakes/service-parts.ts'
import { createThreadReader, type ThreadReaderOptions } from './documentReader.thread.ts'

const looping = new URL('../../../test/fakes/knowledge-looping-worker.ts', import.meta.url)

async function readerHere(options: ThreadReaderOptions = {}) {
  const folder = await tempFolder()
  const reader = createThreadReader(options)
  const path = (name: string): string => join(folder.path, name)
  return {
    reader,
    path,
    read: (name: string, knownHash: string | null = null, signal = never) =>
      reader.read(path(name), name, { signal, knownHash, onProgress: () => undefined }),
    async [Symbol.asyncDispose]() {
      await reader.rest()
      await folder[Symbol.asyncDispose]()
    }
  }
}

describe('reader on a thread', () => {
  it('reads a document, and not again as long as it is the same', async () => {
    await using here = await readerHere()
    await writeFile(here.path('a.pdf'), await pdfOf([[{ text: 'Words of a page.' }]]))
    const first = await here.read('a.pdf')
    expect(first).toMatchObject({ kind: 'read', passages: [{ body: 'Words of a page.', place: 'page 1' }] })
    const hash = first.kind === 'read' ? first.hash : ''
    expect(await here.read('a.pdf', hash)).toEqual({ kind: 'same' })
    await writeFile(here.path('a.pdf'), await pdfOf([[{ text: 'Other words.' }]]))
    expect(await here.read('a.pdf', hash)).toMatchObject({ kind: 'read' })
  })

  it('opens nothing but files of its size', async () => {
    await using here = await readerHere()
    await writeFile(here.path('huge.txt'), 'x')
    await truncate(here.path('huge.txt'), 1_073_741_824)
    await writeFile(here.path('secret.txt'), 'x')
    await symlink(here.path('secret.txt'), here.path('link.txt'))
    await mkdir(here.path('folder.txt'))
    expect(await here.read('huge.txt')).toMatchObject({ kind: 'unreadable', reason: 'This file is larger than 50 MB. Divide it.' })
    expect(await here.read('link.txt')).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('ELOOP') })
    expect(await here.read('folder.txt')).toMatchObject({ kind: 'unreadable', reason: 'This is no file.' })
    expect(await here.read('gone.txt')).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('ENOENT') })
    expect(await here.read('secret.txt')).toMatchObject({ kind: 'read' })
  })

  it.each([
    ['never ends', 'endless.txt', { quietMs: 300 }, /too long/],
    ['eats the memory', 'hungry.txt', { quietMs: 15_000, growthMb: 64 }, /too much memory/],
    ['breaks its reader', 'dies.txt', {}, /reading it failed/]
  ])('stops a document that %s, and reads the next', async (_, name, bounds, reason) => {
    await using here = await readerHere({ url: looping, bounds })
    expect(await here.read(name)).toEqual({ kind: 'unreadable', hash: null, reason: expect.stringMatching(reason) })
    expect(await here.read('quick.txt')).toMatchObject({ kind: 'read' })
  })

  it('is cancelled at once, in the midst of a loop', async () => {
    await using here = await readerHere({ url: looping })
    const abort = new AbortController()
    const reading = here.read('endless.txt', null, abort.signal)
    abort.abort()
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' })
    expect(await here.read('quick.txt')).toMatchObject({ kind: 'read' })
  })
})
