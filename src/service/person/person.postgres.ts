// What the shared PostgreSQL keeps of a person, table by table. A test walks the schema: a table that is neither here nor in
// `impersonalTables` fails it, so nobody's data is forgotten when a table is added.
import type { PostgresQueries } from '../store/postgres.ts'
import type { PersonalStore } from './person.ts'
import type { Forgetting } from './retention.ts'

interface PersonalTable {
  /** As it is called in the export. */
  readonly name: string
  /** Where it is, with what hangs on it by a foreign key. */
  readonly tables: readonly string[]
  /** $1 is the user. */
  readonly select: string
  /** $1 is the user, $2 a name made for this erasure alone. */
  readonly erase: string
}

const personalTables: readonly PersonalTable[] = [
  {
    name: 'messages',
    tables: ['message'],
    select: `SELECT session_id AS "sessionId", turn_id AS "turnId", role, text, created_at AS "createdAt" FROM message
      WHERE user_id = $1 ORDER BY position`,
    erase: 'DELETE FROM message WHERE user_id = $1'
  },
  {
    name: 'chatMessages',
    tables: ['chat_message'],
    select: `SELECT kind, session_id AS "sessionId", message_id AS "messageId", role, content, created_at AS "createdAt", state, details
      FROM chat_message WHERE user_id = $1 ORDER BY position`,
    erase: 'DELETE FROM chat_message WHERE user_id = $1'
  },
  {
    name: 'chatSessions',
    tables: ['chat_session'],
    select: `SELECT kind, session_id AS "sessionId", client_name AS "clientName", context, meeting_type AS "meetingType", metadata,
      created_at AS "createdAt", updated_at AS "updatedAt" FROM chat_session WHERE user_id = $1 ORDER BY created_at, session_id`,
    erase: 'DELETE FROM chat_session WHERE user_id = $1'
  },
  {
    name: 'costs',
    tables: ['cost_attempt'],
    select: `SELECT turn_id AS "turnId", organisation, client, provider, model, at, cost_micros AS "costMicros",
      input_tokens AS "inputTokens", output_tokens AS "outputTokens", outcome FROM cost_attempt WHERE user_id = $1 ORDER BY at, attempt_id`,
    // What was spent stays spent: the organisation's books must add up. Who spent it is gone.
    erase: 'UPDATE cost_attempt SET user_id = $2 WHERE user_id = $1'
  },
  {
    name: 'account',
    tables: ['account'],
    select: 'SELECT organisation FROM account WHERE user_id = $1',
    erase: 'DELETE FROM account WHERE user_id = $1'
  },
  {
    name: 'overrides',
    tables: ['limit_override'],
    select: 'SELECT organisation, until, reason FROM limit_override WHERE granted_by = $1 ORDER BY organisation',
    erase: 'UPDATE limit_override SET granted_by = $2 WHERE granted_by = $1'
  },
  {
    name: 'inputs',
    tables: ['agent_input'],
    select: `SELECT input_id AS "inputId", input, state, output, received_at AS "receivedAt",
      (SELECT '[' || string_agg(action, ',' ORDER BY action_id) || ']' FROM agent_action WHERE agent_action.input_id = agent_input.input_id) AS actions
      FROM agent_input WHERE user_id = $1 ORDER BY received_at, input_id`,
    erase: 'DELETE FROM agent_input WHERE user_id = $1'
  },
  {
    name: 'reviews',
    tables: ['agent_input'],
    select: `SELECT input_id AS "inputId", state, reviewed_at AS "reviewedAt", review_reason AS reason
      FROM agent_input WHERE reviewer = $1 ORDER BY reviewed_at, input_id`,
    // That somebody looked stays; who it was is gone.
    erase: 'UPDATE agent_input SET reviewer = $2 WHERE reviewer = $1'
  },
  {
    name: 'decisions',
    tables: ['past_decision'],
    select: 'SELECT record FROM past_decision WHERE user_id = $1 ORDER BY position',
    erase: 'DELETE FROM past_decision WHERE user_id = $1'
  },
  {
    name: 'tasks',
    tables: ['scheduled_task'],
    select: 'SELECT task_id AS "taskId", task, state, created_at AS "createdAt" FROM scheduled_task WHERE user_id = $1 ORDER BY created_at, task_id',
    erase: 'DELETE FROM scheduled_task WHERE user_id = $1'
  }
]

/** Tables that keep nothing of a user, and why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  aside_step: 'which steps made these tables',
  service_instance: 'services that are running',
  service_key: 'a fingerprint',
  cost_month: 'sums of organisations and their clients',
  document: 'documents of clients, whoever added them',
  document_passage: 'documents of clients',
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
const JSON_COLUMNS = new Set(['context', 'metadata', 'details', 'input', 'output', 'actions', 'record', 'task'])

export function createPostgresPersonalStores(postgres: PostgresQueries, newName: () => string): PersonalStore[] {
  return personalTables.map(({ name, select, erase }) => ({
    name,
    read: async (userId) =>
      (await postgres.rows<Record<string, unknown>>(select, [userId])).map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, JSON_COLUMNS.has(column) ? parsed(value) : value]))
      ),
    erase: (userId) => postgres.count(erase, erase.includes('$2') ? [userId, `erased:${newName()}`] : [userId])
  }))
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
    decisions: 'DELETE FROM past_decision WHERE decided_at < $1'
  }
  return {
    async forget(before) {
      const counts: Record<string, number> = {}
      for (const [name, sql] of Object.entries(removals)) counts[name] = await postgres.count(sql, [before])
      return counts
    }
  }
}
