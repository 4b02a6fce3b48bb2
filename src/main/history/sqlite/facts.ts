// Facts about the history itself: named values, and when things were done to the whole of it. Callers open the transaction.
import type { Event } from '../keeping.ts'
import type { Core } from './core.ts'

export interface Facts {
  get(name: string): string | null
  set(name: string, value: string | null): void
  noteEvent(event: Event, at: number): void
  eventAt(event: Event): number | null
}

export function createFacts({ sql }: Pick<Core, 'sql'>): Facts {
  const get = (name: string): string | null => sql<string>('SELECT value FROM facts WHERE name = ?').pluck().get(name) ?? null
  const set = (name: string, value: string | null): void => {
    if (value === null) sql('DELETE FROM facts WHERE name = ?').run(name)
    else sql('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(name, value)
  }
  return {
    get,
    set,
    noteEvent: (event, at) => set(`${event}_at`, String(at)),
    eventAt(event) {
      const value = get(`${event}_at`)
      return value === null ? null : Number(value)
    }
  }
}
