// Brings a folder of articles into the index: only what changed, and what is gone is taken out.
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readArticle } from './article.ts'
import type { KnowledgeIndex } from './knowledge.ts'

export interface IngestReport {
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly unchanged: number
  /** One line for each file that could not be read; the index keeps the file's earlier version. */
  readonly problems: readonly string[]
}

const LARGEST_ARTICLE = 1_000_000
/** Part of every hash: raise it when articles are read differently, and all are read again. */
const READER_VERSION = 1

/** Throws when the folder can't be read or the signal is aborted; what was indexed until then stays. */
export async function ingest(folder: string, index: KnowledgeIndex, signal: AbortSignal): Promise<IngestReport> {
  const known = new Map(await index.hashes())
  const report = { added: 0, changed: 0, removed: 0, unchanged: 0 }
  const problems: string[] = []
  const seen = new Set<string>()
  for (const file of (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md')).sort()) {
    signal.throwIfAborted()
    const slug = basename(file, '.md')
    const path = join(folder, file)
    if (seen.has(slug)) {
      problems.push(`${file}: another article has the same name`)
      continue
    }
    seen.add(slug)
    try {
      if ((await stat(path)).size > LARGEST_ARTICLE) throw new TypeError('is larger than 1 MB')
      const content = await readFile(path, 'utf8')
      const hash = createHash('sha256').update(`${READER_VERSION}\n${file}\n${content}`).digest('hex')
      if (known.get(slug) === hash) {
        report.unchanged += 1
        continue
      }
      await index.replace(readArticle(slug, content), hash)
      report[known.has(slug) ? 'changed' : 'added'] += 1
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      problems.push(`${file}: ${error.message}`)
    }
  }
  for (const slug of known.keys()) {
    if (seen.has(slug)) continue
    await index.remove(slug)
    report.removed += 1
  }
  return { ...report, problems }
}
