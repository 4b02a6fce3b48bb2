// Where the knowledge pack, the price books and the proto are: told by the configuration, or above the program's own file.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Resources {
  readonly knowledge: string
  readonly pricing: string
  readonly proto: string
}

/** Sources lie three folders below the root, bundles two. Null: there are none. */
export function findResources(configured: string | null, from: string): Resources | null {
  const folder = configured ?? above(from)
  if (folder === null || !existsSync(folder)) return null
  return { knowledge: join(folder, 'knowledge'), pricing: join(folder, 'pricing'), proto: join(dirname(folder), 'proto', 'ai.proto') }
}

function above(from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'resources')
    if (existsSync(join(candidate, 'knowledge'))) return candidate
    if (dirname(folder) === folder) return null
  }
}
