// What the service's store keeps of a person, table by table. A test walks the schema: a table that is neither here nor in
// `impersonalTables` fails it, so nobody's data is forgotten when a table is added.
import { ownOrganisation } from '../auth/caller.ts'
import type { Store } from '../store/store.ts'
import type { PersonalStore } from './person.ts'

interface PersonalTable {
  /** As it is called in the export. */
  readonly name: string
  /** Where it is, with what hangs on it by a foreign key. */
  readonly tables: readonly string[]
  /** With the parameters `@userId` and `@own`, the organisation that somebody is who names none. */
  readonly select: string
  /** With `@nobody` beside them, a name made for this erasure alone. In one transaction; the first one's changes are counted. */
  readonly erase: string | readonly string[]
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
    tables: ['cost_attempt', 'cost_month'],
    select: `SELECT turn_id AS turnId, organisation, client, provider, model, at, cost_micros AS costMicros,
      input_tokens AS inputTokens, output_tokens AS outputTokens, outcome FROM cost_attempt WHERE user_id = @userId ORDER BY at, attempt_id`,
    // What was spent stays spent: the organisation's books must add up. Who spent it is gone.
    erase: [
      'UPDATE cost_attempt SET user_id = @nobody, organisation = iif(organisation = @own, @nobody, organisation) WHERE user_id = @userId',
      'UPDATE cost_month SET organisation = @nobody WHERE organisation = @own'
    ]
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
    select: 'SELECT organisation, until, reason FROM limit_override WHERE granted_by = @userId OR organisation = @own ORDER BY organisation',
    erase: ['UPDATE limit_override SET granted_by = @nobody WHERE granted_by = @userId', 'DELETE FROM limit_override WHERE organisation = @own']
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
  },
  {
    // Of somebody who is an organisation of their own; their words leave the indexes by the library, before this.
    name: 'documents',
    tables: ['document', 'document_passage', 'knowledge_shelf'],
    select: `SELECT client_name AS client, name, size_bytes AS sizeBytes, added_at AS addedAt, as_of AS date,
      (SELECT json_group_array(json_object('heading', heading, 'text', body, 'place', place) ORDER BY ordinal)
        FROM document_passage WHERE document_passage.document_id = document.document_id) AS passages
      FROM document JOIN knowledge_shelf USING (shelf_id) WHERE organisation = @own ORDER BY added_at, document_id`,
    erase: [
      'DELETE FROM document WHERE shelf_id IN (SELECT shelf_id FROM knowledge_shelf WHERE organisation = @own)',
      // Its empty index stays, and is nobody's.
      'UPDATE knowledge_shelf SET organisation = @nobody, client = shelf_id WHERE organisation = @own'
    ]
  }
]

/** Tables that keep nothing of a user, and why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  article: 'the knowledge that ships',
  passage: 'the knowledge that ships',
  passage_index: 'the words of passages',
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
const JSON_COLUMNS = new Set(['question', 'events', 'context', 'metadata', 'details', 'input', 'output', 'actions', 'record', 'task', 'passages'])

export function createSqlitePersonalStores({ database, writer }: Pick<Store, 'database' | 'writer'>, newName: () => string): PersonalStore[] {
  return personalTables.map(({ name, select, erase }) => {
    const read = database.prepare<[{ userId: string; own: string }], Record<string, unknown>>(select)
    const removals = [erase].flat().map((sql) => database.prepare<[{ userId: string; own: string; nobody: string }]>(sql))
    return {
      name,
      // All at once: a cursor left open would hold back the writer.
      read: async (userId) =>
        read
          .all({ userId, own: ownOrganisation(userId) })
          .map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, JSON_COLUMNS.has(column) ? parsed(value) : value]))),
      erase: (userId) => {
        const names = { userId, own: ownOrganisation(userId), nobody: `erased:${newName()}` }
        return writer.write(() => removals.map((removal) => removal.run(names).changes)[0] ?? 0)
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
