// The numbered steps of the database's format. A step that was released is never edited: what must change becomes a new one.
import { firstFormat } from './0001-first-format.ts'
import { keeping } from './0003-keeping.ts'
import { imports } from './0004-imports.ts'
import type { Migration } from './migration.ts'
import { searchByCompounds } from './0002-search-by-compounds.ts'

export const migrations: readonly Migration[] = [firstFormat, searchByCompounds, keeping, imports]
