// Rows of the database as the product's words: parsing of the JSON columns and nothing else.
import type { Answer, Delivery, Message, Session } from '../../../shared/domain.ts'
import type { WireError } from '../../../shared/errors.ts'
import type { Citation, Notice, TurnState, Usage } from '../../../shared/turn.ts'
import { deliveryOf } from '../delivery.ts'
import type { OutboxRow } from '../history.ts'

export interface SessionRow {
  readonly number: number
  readonly id: string
  readonly title: string
  readonly client_name: string
  readonly meeting_type: string
  readonly project_context: string
  readonly service_types: string
  readonly cloud_providers: string
  readonly custom_fields: string
  readonly notes: string
  readonly status: Session['status']
  readonly pinned: number
  readonly created_at: number
  readonly updated_at: number
  readonly last_activity_at: number
  readonly expires_at: number | null
  readonly message_count: number
}

export function sessionFrom(row: SessionRow): Session {
  return {
    id: row.id,
    title: row.title,
    clientName: row.client_name,
    meetingType: row.meeting_type,
    projectContext: row.project_context,
    serviceTypes: JSON.parse(row.service_types) as string[],
    cloudProviders: JSON.parse(row.cloud_providers) as string[],
    customFields: JSON.parse(row.custom_fields) as Record<string, string>,
    notes: row.notes,
    status: row.status,
    pinned: row.pinned === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastActivityAt: row.last_activity_at,
    expiresAt: row.expires_at,
    messageCount: row.message_count
  }
}

/** A message with its session's id, its turn and its row of the outbox, as `MESSAGE` selects it. */
export interface MessageRow {
  readonly position: number
  readonly id: string
  readonly session: number
  readonly session_id: string
  readonly turn: number | null
  readonly turn_id: string | null
  readonly role: Message['role']
  readonly text: string
  readonly created_at: number
  readonly quick_action: Message['quickAction']
  readonly indexed_length: number
  readonly delivery_state: OutboxRow['state'] | null
  readonly attempts: number
  readonly accepted_at: number
  readonly next_attempt_at: number | null
  readonly confirmed_at: number | null
  readonly delivery_error: string | null
  readonly turn_state: TurnState | null
  readonly citations: string | null
  readonly notices: string | null
  readonly usage: string | null
  readonly error: string | null
  readonly finish: Answer['finish']
  readonly last_seq: number | null
}

export const MESSAGE = `
  SELECT m.position, m.id, m.session, s.id AS session_id, m.turn, t.id AS turn_id, m.role, m.text, m.created_at, m.quick_action, m.indexed_length,
    o.state AS delivery_state, o.attempts, o.accepted_at, o.next_attempt_at, o.confirmed_at, o.error AS delivery_error,
    t.state AS turn_state, t.citations, t.notices, t.usage, t.error, t.finish, t.last_seq
  FROM messages m
  JOIN sessions s ON s.number = m.session
  LEFT JOIN turns t ON t.number = m.turn
  LEFT JOIN outbox o ON o.turn = m.turn AND m.role = 'user'`

export function messageFrom(row: MessageRow, now: number): Message {
  return {
    id: row.id,
    sessionId: row.session_id,
    turnId: row.turn_id,
    role: row.role,
    text: row.text,
    createdAt: row.created_at,
    position: row.position,
    quickAction: row.quick_action,
    delivery: row.role === 'user' ? deliveryFrom(row, now) : null,
    answer: row.role === 'assistant' ? answerFrom(row) : null
  }
}

function deliveryFrom(row: MessageRow, now: number): Delivery | null {
  if (row.delivery_state === null) return null
  return deliveryOf(
    {
      state: row.delivery_state,
      attempts: row.attempts,
      acceptedAt: row.accepted_at,
      nextAttemptAt: row.next_attempt_at,
      confirmedAt: row.confirmed_at,
      error: parsed(row.delivery_error) as WireError | null,
      lastSeq: row.last_seq ?? 0
    },
    now
  )
}

function answerFrom(row: MessageRow): Answer {
  return {
    state: row.turn_state === null ? 'done' : answerState(row.turn_state),
    citations: (parsed(row.citations) ?? []) as Citation[],
    notices: (parsed(row.notices) ?? []) as Notice[],
    usage: parsed(row.usage) as Usage | null,
    error: parsed(row.error) as WireError | null,
    finish: row.finish,
    lastSeq: row.last_seq ?? 0
  }
}

export function answerState(state: TurnState): Answer['state'] {
  return state === 'done' || state === 'failed' || state === 'cancelled' ? state : 'answering'
}

/** What this program wrote itself; the caller knows as what. */
export function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json)
}

export function asJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}
