// How long taking in, replacing and taking out one large document keeps the thread that also answers. In CPU time between two ticks
// of the event loop: what other programs take of the machine is not counted.
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createThreadReader } from '../../src/service/knowledge/documentReader.thread.ts'
import { createSqliteDocuments } from '../../src/service/knowledge/documents.sqlite.ts'
import { createLibrary } from '../../src/service/knowledge/library.ts'
import type { Store } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'

export interface Hold {
  readonly longestMs: number
  readonly seconds: number
}

const WORDS = 20_000

function largeDocument(megabytes: number): string {
  const letters = (): string => Array.from({ length: 3 + Math.random() * 8 }, () => String.fromCharCode(97 + Math.random() * 26)).join('')
  const words = Array.from({ length: WORDS }, letters)
  // Some words are everywhere, most are rare, as in a language.
  const word = (): string => words[Math.floor(Math.random() ** 3 * WORDS)] ?? ''
  const sections: string[] = []
  for (let written = 0; written < megabytes * 1_000_000; written += sections.at(-1)?.length ?? 0) {
    const sentences = Array.from({ length: 12 }, () => `${Array.from({ length: 14 }, word).join(' ')}.`)
    sections.push(`## Section ${sections.length}\n\n${sentences.join(' ')}\n\n`)
  }
  return sections.join('')
}

async function held(work: () => Promise<unknown>): Promise<Hold> {
  let longest = 0
  let isOver = false
  let since = process.threadCpuUsage()
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(since)
    longest = Math.max(longest, (user + system) / 1_000)
    since = process.threadCpuUsage()
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  const began = performance.now()
  await work()
  isOver = true
  return { longestMs: Math.round(longest * 10) / 10, seconds: Math.round((performance.now() - began) / 100) / 10 }
}

/** Throws when the document could not be read. */
export async function measureIngest(
  store: Store,
  folder: string,
  megabytes: number
): Promise<Readonly<Record<'added' | 'replaced' | 'removed', Hold>>> {
  const signal = new AbortController().signal
  const file = join(folder, 'Large', 'large.md')
  await mkdir(join(folder, 'Large'), { recursive: true })
  const library = createLibrary({
    documents: createSqliteDocuments(store),
    reader: createThreadReader({ bounds: { quietMs: 300_000 } }),
    inbox: join(folder, 'inbox'),
    folder,
    folderOrganisation: 'large',
    clock: systemClock,
    newId: randomUUID,
    audit: { record: () => Promise.resolve() },
    onFault: (error) => {
      throw error
    }
  })
  const refresh = async (): Promise<void> => {
    const { problems } = await library.refresh(signal)
    if (problems.length > 0) throw new Error(problems.join('; '))
  }
  try {
    await writeFile(file, largeDocument(megabytes))
    const added = await held(refresh)
    await writeFile(file, largeDocument(megabytes))
    const replaced = await held(refresh)
    await rm(file)
    return { added, replaced, removed: await held(refresh) }
  } finally {
    await library.stop()
  }
}
