// Reads what can be read of a table whose pages are damaged here and there.
import type { Connection } from './connection.ts'
import { storageFailure } from './failures.ts'

export type Row = Readonly<Record<string, unknown>>

/** Numbers that could not be read, both ends inclusive. */
export interface Gap {
  readonly from: number
  readonly to: number
}

export const EVERYTHING: Gap = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }
const BATCH = 500

function tolerant<T>(action: () => T): { readonly value: T } | null {
  try {
    return { value: action() }
  } catch (error) {
    if (storageFailure(error) !== 'damaged') throw error
    return null
  }
}

/** Rows in the order of `key`, an alias of the row's number; every damaged stretch is told of and stepped over. */
export function* readableRows(
  db: Connection,
  { table, key }: { readonly table: string; readonly key: string },
  onGap: (gap: Gap) => void
): Generator<Row, void> {
  const one = tolerant(() => db.prepare<unknown[], Row>(`SELECT * FROM ${table} NOT INDEXED WHERE ${key} >= ? ORDER BY ${key} LIMIT 1`))
  const many = tolerant(() => db.prepare<unknown[], Row>(`SELECT * FROM ${table} NOT INDEXED WHERE ${key} >= ? ORDER BY ${key} LIMIT ${BATCH}`))
  if (one === null || many === null) return onGap(EVERYTHING)
  const at = (number: number): { readonly value: Row | undefined } | null => tolerant(() => one.value.get(number))
  const numberOf = (row: Row): number => Number(row[key])

  let last = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows: Row[] = []
    const whole = tolerant(() => {
      // One by one: what comes before the damage is kept. From the number behind, since the last one may be on the damaged page's edge.
      for (const row of many.value.iterate(last + 1)) rows.push(row)
    })
    yield* rows
    const end = rows.at(-1)
    if (end !== undefined) last = numberOf(end)
    if (whole !== null && rows.length < BATCH) return
    if (whole !== null) continue
    const next = nextReadable(Math.max(last, 0), at)
    onGap({ from: last + 1, to: next === null ? Number.MAX_SAFE_INTEGER : numberOf(next) - 1 })
    if (next === null) return
    last = numberOf(next) - 1
  }
}

/** The first row behind the damage; null when there is none. Damage covers a stretch of numbers, so its end can be closed in on. */
function nextReadable(last: number, at: (number: number) => { readonly value: Row | undefined } | null): Row | null {
  let [bad, step] = [last, 1]
  let found: { readonly value: Row | undefined } | null = null
  let good = last
  while (found === null) {
    if (last + step > Number.MAX_SAFE_INTEGER / 2) return null
    good = last + step
    found = at(good)
    if (found === null) bad = good
    step *= 2
  }
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2)
    const there = at(middle)
    if (there === null) bad = middle
    else [good, found] = [middle, there]
  }
  return found.value ?? null
}

/** Of a small table without row numbers: what comes before the damage. */
export function readableFew(db: Connection, table: string): Row[] {
  const rows: Row[] = []
  tolerant(() => {
    for (const row of db.prepare<unknown[], Row>(`SELECT * FROM ${table}`).iterate()) rows.push(row)
  })
  return rows
}

/** Null when it cannot be counted. */
export function readableCount(db: Connection, query: string): number | null {
  return tolerant(() => Number(db.prepare(query).pluck().get() ?? 0))?.value ?? null
}
