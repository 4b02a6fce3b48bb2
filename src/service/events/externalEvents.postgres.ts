// Events from outside in the shared PostgreSQL. Several services may look at the same event: making an input of it twice is once.
import type { PostgresQueries } from '../store/postgres.ts'
import type { ExternalEvent, ExternalEvents } from './externalEvents.ts'

export function createPostgresExternalEvents(postgres: PostgresQueries): ExternalEvents {
  return {
    async receive({ source, deliveryId, eventId, type, body, receivedAt }) {
      const added = await postgres.count(
        `INSERT INTO external_event (source, delivery_id, event_id, type, body, received_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        [source, deliveryId, eventId, type, body, receivedAt]
      )
      if (added === 1) return { eventId, isNew: true }
      const [first] = await postgres.rows<{ eventId: string }>(
        'SELECT event_id AS "eventId" FROM external_event WHERE source = $1 AND delivery_id = $2',
        [source, deliveryId]
      )
      return { eventId: first?.eventId ?? eventId, isNew: false }
    },
    waiting: (limit) =>
      postgres.rows<ExternalEvent>(
        `SELECT source, delivery_id AS "deliveryId", event_id AS "eventId", type, body, received_at AS "receivedAt" FROM external_event
         WHERE handled_at IS NULL ORDER BY received_at, event_id LIMIT $1`,
        [limit]
      ),
    async settle(eventId, now) {
      await postgres.count('UPDATE external_event SET handled_at = $1 WHERE event_id = $2', [now, eventId])
    }
  }
}
