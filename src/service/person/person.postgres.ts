// What the shared PostgreSQL keeps of a person, table by table. A test walks the schema: a table that is neither here nor in
// `impersonalTables` fails it, so nobody's data is forgotten when a table is added.
import { ownOrganisation } from '../auth/caller.ts'
import type { PostgresQueries } from '../store/postgres.ts'
import type { PersonalStore } from './person.ts'
import type { Forgetting } from './retention.ts'

interface PersonalTable {
  /** As it is called in the export. */
  readonly name: string
  /** Where it is, with what hangs on it by a foreign key. */
  readonly tables: readonly string[]
  /** With the parameters `@userId` and `@own`, the organisation that somebody is who names none. */
  readonly select: string
  /** With `@nobody` beside them, a name made for this erasure alone. */
  readonly erase: string
}

const personalTables: readonly PersonalTable[] = [
  {
    name: 'messages',
    tables: ['message'],
    select: `SELECT session_id AS "sessionId", turn_id AS "turnId", role, text, created_at AS "createdAt" FROM message
      WHERE user_id = @userId ORDER BY position`,
    erase: 'DELETE FROM message WHERE user_id = @userId'
  },
  {
    name: 'chatMessages',
    tables: ['chat_message'],
    select: `SELECT kind, session_id AS "sessionId", message_id AS "messageId", role, content, created_at AS "createdAt", state, details
      FROM chat_message WHERE user_id = @userId ORDER BY position`,
    erase: 'DELETE FROM chat_message WHERE user_id = @userId'
  },
  {
    name: 'chatSessions',
    tables: ['chat_session'],
    select: `SELECT kind, session_id AS "sessionId", client_name AS "clientName", context, meeting_type AS "meetingType", metadata,
      created_at AS "createdAt", updated_at AS "updatedAt" FROM chat_session WHERE user_id = @userId ORDER BY created_at, session_id`,
    erase: 'DELETE FROM chat_session WHERE user_id = @userId'
  },
  {
    name: 'costs',
    tables: ['cost_attempt', 'cost_month'],
    select: `SELECT turn_id AS "turnId", organisation, client, provider, model, at, cost_micros AS "costMicros",
      input_tokens AS "inputTokens", output_tokens AS "outputTokens", outcome FROM cost_attempt WHERE user_id = @userId ORDER BY at, attempt_id`,
    // What was spent stays spent: the organisation's books must add up. Who spent it is gone.
    erase: `WITH sums AS (UPDATE cost_month SET organisation = @nobody WHERE organisation = @own)
      UPDATE cost_attempt SET user_id = @nobody, organisation = CASE WHEN organisation = @own THEN @nobody ELSE organisation END WHERE user_id = @userId`
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
    erase: `WITH own AS (DELETE FROM limit_override WHERE organisation = @own)
      UPDATE limit_override SET granted_by = @nobody WHERE granted_by = @userId AND organisation <> @own`
  },
  {
    name: 'inputs',
    tables: ['agent_input'],
    select: `SELECT input_id AS "inputId", input, state, output, received_at AS "receivedAt",
      (SELECT '[' || string_agg(action, ',' ORDER BY action_id) || ']' FROM agent_action WHERE agent_action.input_id = agent_input.input_id) AS actions
      FROM agent_input WHERE user_id = @userId ORDER BY received_at, input_id`,
    erase: 'DELETE FROM agent_input WHERE user_id = @userId'
  },
  {
    name: 'reviews',
    tables: ['agent_input'],
    select: `SELECT input_id AS "inputId", state, reviewed_at AS "reviewedAt", review_reason AS reason
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
    select:
      'SELECT task_id AS "taskId", task, state, created_at AS "createdAt" FROM scheduled_task WHERE user_id = @userId ORDER BY created_at, task_id',
    erase: 'DELETE FROM scheduled_task WHERE user_id = @userId'
  },
  {
    // Of somebody who is an organisation of their own; their words leave the indexes by the library, before this.
    name: 'documents',
    tables: ['document', 'document_passage'],
    select: `SELECT client_name AS client, name, size_bytes AS "sizeBytes", added_at AS "addedAt", as_of AS date,
      (SELECT json_agg(json_build_object('heading', heading, 'text', body, 'place', place) ORDER BY ordinal)::text
        FROM document_passage WHERE document_passage.document_id = document.document_id) AS passages
      FROM document WHERE organisation = @own ORDER BY added_at, document_id`,
    erase: 'DELETE FROM document WHERE organisation = @own'
  }
]

/** Tables that keep nothing of a user, and why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  aside_step: 'which steps made these tables',
  service_instance: 'services that are running',
  service_key: 'a fingerprint',
  knowledge_revision: 'a number',
  agent_action: 'goes with its input',
  message_model: 'templates of the organisation',
  external_event: 'what other systems sent; kept by source, forgotten by AI_RETENTION',
  audit_entry: 'ids and counts; what was done stays on record',
  audit_tail: 'the end of the audit log'
}

export function registeredTables(): ReadonlySet<string> {
  return new Set(personalTables.flatMap(({ tables }) => tables))
}

/** Columns that hold JSON, shown as what they hold. */
const JSON_COLUMNS = new Set(['context', 'metadata', 'details', 'input', 'output', 'actions', 'record', 'task', 'passages'])

export function createPostgresPersonalStores(postgres: PostgresQueries, newName: () => string): PersonalStore[] {
  return personalTables.map(({ name, select, erase }) => ({
    name,
    read: async (userId) =>
      (await postgres.rows<Record<string, unknown>>(...numbered(select, { userId, own: ownOrganisation(userId) }))).map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, JSON_COLUMNS.has(column) ? parsed(value) : value]))
      ),
    erase: (userId) => postgres.count(...numbered(erase, { userId, own: ownOrganisation(userId), nobody: `erased:${newName()}` }))
  }))
}

/** PostgreSQL has its parameters by number, and wants no more of them than there are in the statement. */
function numbered(sql: string, values: Readonly<Record<string, string>>): [text: string, values: string[]] {
  const names = [...new Set(Array.from(sql.matchAll(/@(\w+)/g), ([, name = '']) => name))]
  return [sql.replaceAll(/@(\w+)/g, (_all, name: string) => `$${names.indexOf(name) + 1}`), names.map((name) => values[name] ?? '')]
}

function parsed(value: unknown): unknown {
  return typeof value === 'string' ? (JSON.parse(value) as unknown) : value
}

export function createPostgresForgetting(postgres: PostgresQueries): Forgetting {
  const removals = {
    messages: 'DELETE FROM message WHERE created_at < $1',
    // The whole chat by its last word, with all that was said in it; never while somebody waits for an answer there.
    chatSessions: `DELETE FROM chat_session WHERE updated_at < $1 AND NOT EXISTS (
      SELECT 1 FROM chat_message AS one WHERE one.user_id = chat_session.user_id AND one.kind = chat_session.kind
        AND one.session_id = chat_session.session_id AND one.state = 'pending')`,
    externalEvents: 'DELETE FROM external_event WHERE received_at < $1 AND handled_at IS NOT NULL',
    // With its actions. Never one that waits for a decision or a person, that has something left to do, or that is not told on yet.
    inputs: `DELETE FROM agent_input WHERE received_at < $1 AND state NOT IN ('waiting', 'held') AND (output IS NULL OR told_at IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM agent_action WHERE agent_action.input_id = agent_input.input_id AND agent_action.state IN ('held', 'ready'))`,
    decisions: 'DELETE FROM past_decision WHERE decided_at < $1',
    // One that still runs is nobody's past.
    tasks: "DELETE FROM scheduled_task WHERE state <> 'active' AND coalesce(last_at, created_at) < $1"
  }
  return {
    async forget(before) {
      const counts: Record<string, number> = {}
      for (const [name, sql] of Object.entries(removals)) counts[name] = await postgres.count(sql, [before])
      return counts
    }
  }
}
