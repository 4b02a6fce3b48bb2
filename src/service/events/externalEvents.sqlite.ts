// Events from outside in the service's store.
import type { Store } from '../store/store.ts'
import type { ExternalEvent, ExternalEvents } from './externalEvents.ts'

export function createSqliteExternalEvents({ database, writer }: Pick<Store, 'database' | 'writer'>): ExternalEvents {
  const insert = database.prepare<[ExternalEvent]>(
    `INSERT INTO external_event (source, delivery_id, event_id, type, body, received_at) VALUES (@source, @deliveryId, @eventId, @type, @body, @receivedAt)
     ON CONFLICT DO NOTHING`
  )
  const select = database.prepare<[string, string], string>('SELECT event_id FROM external_event WHERE source = ? AND delivery_id = ?').pluck()
  const selectWaiting = database.prepare<[number], ExternalEvent>(
    `SELECT source, delivery_id AS deliveryId, event_id AS eventId, type, body, received_at AS receivedAt FROM external_event
     WHERE handled_at IS NULL ORDER BY received_at, event_id LIMIT ?`
  )
  const settle = database.prepare<[number, string]>('UPDATE external_event SET handled_at = ? WHERE event_id = ?')
  return {
    receive: (event) =>
      writer.write(() => {
        const isNew = insert.run(event).changes === 1
        return { eventId: isNew ? event.eventId : (select.get(event.source, event.deliveryId) ?? event.eventId), isNew }
      }),
    waiting: async (limit) => selectWaiting.all(limit),
    settle: (eventId, now) =>
      writer.write(() => {
        settle.run(now, eventId)
      })
  }
}
