// What the service's store keeps of a person, table by table. A test walks the schema: a table that is neither here nor in
// `impersonalTables` fails it, so nobody's data is forgotten when a table is added.
import type { Store } from '../store/store.ts'
import type { PersonalStore } from './person.ts'

interface PersonalTable {
  /** As it is called in the export. */
  readonly name: string
  /** Where it is, with what hangs on it by a foreign key. */
  readonly tables: readonly string[]
  /** With the parameter `@userId`. */
  readonly select: string
  /** With `@userId` and `@nobody`, a name made for this erasure alone. */
  readonly erase: string
}

const personalTables: readonly PersonalTable[] = [
  {
    name: 'turns',
    tables: ['turn', 'turn_events'],
    select: `SELECT turn_id AS turnId, session_id AS sessionId, question, created_at AS createdAt, ended_at AS endedAt,
      (SELECT json_group_array(json(events)) FROM turn_events WHERE turn_events.turn_id = turn.turn_id) AS events
      FROM turn WHERE user_id = @userId ORDER BY created_at, turn_id`,
    erase: 'DELETE FROM turn WHERE user_id = @userId'
  },
  {
    name: 'messages',
    tables: ['message'],
    select: `SELECT session_id AS sessionId, turn_id AS turnId, role, text, created_at AS createdAt FROM message
      WHERE user_id = @userId ORDER BY position`,
    erase: 'DELETE FROM message WHERE user_id = @userId'
  },
  {
    name: 'chatMessages',
    tables: ['chat_message'],
    select: `SELECT kind, session_id AS sessionId, message_id AS messageId, role, content, created_at AS createdAt, state, details
      FROM chat_message WHERE user_id = @userId ORDER BY position`,
    erase: 'DELETE FROM chat_message WHERE user_id = @userId'
  },
  {
    name: 'chatSessions',
    tables: ['chat_session'],
    select: `SELECT kind, session_id AS sessionId, client_name AS clientName, context, meeting_type AS meetingType, metadata,
      created_at AS createdAt, updated_at AS updatedAt FROM chat_session WHERE user_id = @userId ORDER BY created_at, session_id`,
    erase: 'DELETE FROM chat_session WHERE user_id = @userId'
  },
  {
    name: 'costs',
    tables: ['cost_attempt'],
    select: `SELECT turn_id AS turnId, organisation, client, provider, model, at, cost_micros AS costMicros,
      input_tokens AS inputTokens, output_tokens AS outputTokens, outcome FROM cost_attempt WHERE user_id = @userId ORDER BY at, attempt_id`,
    // What was spent stays spent: the organisation's books must add up. Who spent it is gone.
    erase: 'UPDATE cost_attempt SET user_id = @nobody WHERE user_id = @userId'
  },
  {
    name: 'account',
    tables: ['account'],
    select: 'SELECT organisation FROM account WHERE user_id = @userId',
    erase: 'DELETE FROM account WHERE user_id = @userId'
  },
  {
    name: 'overrides',
    tables: ['limit_override'],
    select: 'SELECT organisation, until, reason FROM limit_override WHERE granted_by = @userId ORDER BY organisation',
    erase: 'UPDATE limit_override SET granted_by = @nobody WHERE granted_by = @userId'
  },
  {
    name: 'inputs',
    tables: ['agent_input'],
    select: `SELECT input_id AS inputId, input, state, output, received_at AS receivedAt,
      (SELECT json_group_array(json(action)) FROM agent_action WHERE agent_action.input_id = agent_input.input_id) AS actions
      FROM agent_input WHERE user_id = @userId ORDER BY received_at, input_id`,
    erase: 'DELETE FROM agent_input WHERE user_id = @userId'
  },
  {
    name: 'reviews',
    tables: ['agent_input'],
    select: `SELECT input_id AS inputId, state, reviewed_at AS reviewedAt, review_reason AS reason
      FROM agent_input WHERE reviewer = @userId ORDER BY reviewed_at, input_id`,
    // That somebody looked stays; who it was is gone.
    erase: 'UPDATE agent_input SET reviewer = @nobody WHERE reviewer = @userId'
  },
  {
    name: 'decisions',
    tables: ['past_decision'],
    select: 'SELECT record FROM past_decision WHERE user_id = @userId ORDER BY position',
    erase: 'DELETE FROM past_decision WHERE user_id = @userId'
  },
  {
    name: 'tasks',
    tables: ['scheduled_task'],
    select: 'SELECT task_id AS taskId, task, state, created_at AS createdAt FROM scheduled_task WHERE user_id = @userId ORDER BY created_at, task_id',
    erase: 'DELETE FROM scheduled_task WHERE user_id = @userId'
  }
]

/** Tables that keep nothing of a user, and why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  article: 'the knowledge that ships',
  passage: 'the knowledge that ships',
  passage_index: 'the words of passages',
  cost_month: 'sums of organisations and their clients',
  knowledge_shelf: 'shelves of organisations and their clients',
  document: 'documents of clients, whoever added them',
  document_passage: 'documents of clients',
  passage_vector: 'what the pack and the documents of clients mean, for a model',
  agent_action: 'goes with its input',
  decision_index: 'the words of past decisions; they go with them',
  message_model: 'templates of the organisation',
  external_event: 'what other systems sent; kept by source, forgotten by AI_RETENTION'
}

/** By table: the columns that name a user. */
export function registeredTables(): ReadonlySet<string> {
  return new Set(personalTables.flatMap(({ tables }) => tables))
}

/** Columns that hold JSON, shown as what they hold. */
const JSON_COLUMNS = new Set(['question', 'events', 'context', 'metadata', 'details', 'input', 'output', 'actions', 'record', 'task'])

export function createSqlitePersonalStores({ database, writer }: Pick<Store, 'database' | 'writer'>, newName: () => string): PersonalStore[] {
  return personalTables.map(({ name, select, erase }) => {
    const read = database.prepare<[{ userId: string }], Record<string, unknown>>(select)
    const removal = database.prepare<[{ userId: string; nobody: string }]>(erase)
    return {
      name,
      // All at once: a cursor left open would hold back the writer.
      read: async (userId) =>
        read
          .all({ userId })
          .map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, JSON_COLUMNS.has(column) ? parsed(value) : value]))),
      erase: (userId) => {
        const nobody = `erased:${newName()}`
        return writer.write(() => removal.run({ userId, nobody }).changes)
      }
    }
  })
}

function parsed(value: unknown): unknown {
  return typeof value === 'string' ? (JSON.parse(value) as unknown) : value
}

/** Deleted rows are written over as they go (`secure_delete`); what the write-ahead log still holds of them goes here. */
export async function compactStore({ database, writer }: Pick<Store, 'database' | 'writer'>): Promise<void> {
  // Behind whatever waits to be written.
  await writer.write(() => undefined)
  database.pragma('wal_checkpoint(TRUNCATE)')
}
