// What the service's store keeps of a person, table by table.
import type { Store } from '../store/store.ts'
import type { PersonalStore } from './person.ts'

interface Kept {
  readonly name: string
  /** With one parameter, the user's id. */
  readonly select: string
  readonly deletes: readonly string[]
}

const kept: readonly Kept[] = [
  {
    name: 'turns',
    select: `SELECT turn_id AS turnId, session_id AS sessionId, question, created_at AS createdAt, ended_at AS endedAt,
      (SELECT json_group_array(json(events)) FROM turn_events WHERE turn_events.turn_id = turn.turn_id) AS events
      FROM turn WHERE user_id = ? ORDER BY created_at, turn_id`,
    deletes: ['DELETE FROM turn WHERE user_id = ?']
  },
  {
    name: 'messages',
    select: `SELECT session_id AS sessionId, turn_id AS turnId, role, text, created_at AS createdAt FROM message
      WHERE user_id = ? ORDER BY position`,
    deletes: ['DELETE FROM message WHERE user_id = ?']
  },
  {
    name: 'inputs',
    select: `SELECT input_id AS inputId, input, state, output, received_at AS receivedAt,
      (SELECT json_group_array(json(action)) FROM agent_action WHERE agent_action.input_id = agent_input.input_id) AS actions
      FROM agent_input WHERE user_id = ? ORDER BY received_at, input_id`,
    deletes: ['DELETE FROM agent_input WHERE user_id = ?']
  },
  {
    name: 'decisions',
    select: 'SELECT record FROM past_decision WHERE user_id = ? ORDER BY position',
    deletes: ['DELETE FROM past_decision WHERE user_id = ?']
  },
  {
    name: 'tasks',
    select: 'SELECT task_id AS taskId, task, state, created_at AS createdAt FROM scheduled_task WHERE user_id = ? ORDER BY created_at, task_id',
    deletes: ['DELETE FROM scheduled_task WHERE user_id = ?']
  }
]

/** Columns that hold JSON, shown as what they hold. */
const JSON_COLUMNS = new Set(['question', 'events', 'input', 'output', 'actions', 'record', 'task'])

export function createSqlitePersonalStores({ database, writer }: Pick<Store, 'database' | 'writer'>): PersonalStore[] {
  return kept.map(({ name, select, deletes }) => {
    const read = database.prepare<[string], Record<string, unknown>>(select)
    const removals = deletes.map((sql) => database.prepare<[string]>(sql))
    return {
      name,
      *read(userId) {
        // All at once: a cursor left open would hold back the writer.
        for (const row of read.all(userId)) {
          yield Object.fromEntries(
            Object.entries(row).map(([column, value]) => [
              column,
              JSON_COLUMNS.has(column) && typeof value === 'string' ? (JSON.parse(value) as unknown) : value
            ])
          )
        }
      },
      erase: (userId) => writer.write(() => removals.reduce((sum, removal) => sum + removal.run(userId).changes, 0))
    }
  })
}

/** Ids of the person's turns that have not ended. */
export function unfinishedTurnsOf({ database }: Pick<Store, 'database'>, userId: string): string[] {
  return database
    .prepare<[string], { turn_id: string }>('SELECT turn_id FROM turn WHERE user_id = ? AND ended_at IS NULL')
    .all(userId)
    .map((row) => row.turn_id)
}

/** Deleted rows are written over as they go (`secure_delete`); what the write-ahead log still holds of them goes here. */
export async function compactStore({ database, writer }: Pick<Store, 'database' | 'writer'>): Promise<void> {
  // Behind whatever waits to be written.
  await writer.write(() => undefined)
  database.pragma('wal_checkpoint(TRUNCATE)')
}
