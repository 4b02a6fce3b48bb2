// Message models and past decisions in the service's store; similar ones by full-text search.
import type { Store } from '../store/store.ts'
import {
  messageModelSchema,
  pastDecisionSchema,
  type Decisions,
  type KeptModel,
  type MessageModel,
  type MessageModels,
  type PastDecision
} from './decisions.ts'
import { fitting, latest, requireSame, wordsOf } from './latest.ts'

type Parts = Pick<Store, 'database' | 'writer'>

interface ModelRow {
  readonly model: string
  readonly usageCount: number
  readonly lastUsed: number | null
}

export function createSqliteMessageModels({ database, writer }: Parts): MessageModels {
  const columns = 'model, usage_count AS usageCount, last_used AS lastUsed'
  const insert = database.prepare<[string, number, string]>('INSERT INTO message_model (decision_code, version, model) VALUES (?, ?, ?)')
  const one = database.prepare<[string, number], ModelRow>(`SELECT ${columns} FROM message_model WHERE decision_code = ? AND version = ?`)
  const all = database.prepare<[], ModelRow>(`SELECT ${columns} FROM message_model`)
  const count = database.prepare<[number, string, number]>(
    'UPDATE message_model SET usage_count = usage_count + 1, last_used = max(coalesce(last_used, 0), ?) WHERE decision_code = ? AND version = ?'
  )
  const read = ({ model, usageCount, lastUsed }: ModelRow): KeptModel => ({ ...messageModelSchema.parse(JSON.parse(model)), usageCount, lastUsed })
  return {
    put: (model: MessageModel) =>
      writer.write(() => {
        const kept = one.get(model.decisionCode, model.version)
        if (kept === undefined) insert.run(model.decisionCode, model.version, JSON.stringify(messageModelSchema.parse(model)))
        else requireSame(read(kept), model)
      }),
    get: async (decisionCode, version) => {
      const row = one.get(decisionCode, version)
      return row === undefined ? null : read(row)
    },
    fitting: async (inputType, businessId) => fitting(all.all().map(read), inputType, businessId),
    list: async () => latest(all.all().map(read)),
    used: (decisionCode, version, now) =>
      writer.write(() => {
        count.run(now, decisionCode, version)
      })
  }
}

export function createSqliteDecisions({ database, writer }: Parts): Decisions {
  const remove = database.prepare<[string, string]>('DELETE FROM past_decision WHERE id = ? AND business_id = ?')
  const insert = database.prepare<[{ id: string; businessId: string; userId: string | null; decidedAt: number; summary: string; record: string }]>(
    `INSERT INTO past_decision (id, business_id, user_id, decided_at, summary, record) VALUES (@id, @businessId, @userId, @decidedAt, @summary, @record)`
  )
  const one = database.prepare<[string, string], string>('SELECT record FROM past_decision WHERE id = ? AND business_id = ?').pluck()
  const alike = database
    .prepare<[string, string, number], string>(
      `SELECT record FROM decision_index JOIN past_decision ON position = decision_index.rowid
       WHERE decision_index MATCH ? AND business_id = ? ORDER BY bm25(decision_index), decided_at DESC LIMIT ?`
    )
    .pluck()
  const ofUser = database.prepare<[string], string>('SELECT record FROM past_decision WHERE user_id = ? ORDER BY decided_at, position').pluck()
  const forgetAll = database.prepare<[number]>('DELETE FROM past_decision WHERE decided_at < ?')
  const eraseAll = database.prepare<[string]>('DELETE FROM past_decision WHERE user_id = ?')
  const read = (record: string): PastDecision => pastDecisionSchema.parse(JSON.parse(record))
  return {
    put: (decision) =>
      writer.write(() => {
        const { id, businessId, userId = null, decidedAt, summary } = decision
        remove.run(id, businessId)
        insert.run({ id, businessId, userId, decidedAt, summary, record: JSON.stringify(decision) })
      }),
    get: async ({ id, businessId }) => {
      const record = one.get(id, businessId)
      return record === undefined ? null : read(record)
    },
    similar: async ({ businessId, text, limit }) => {
      const words = wordsOf(text)
      if (words.length === 0) return []
      return alike.all(words.map((word) => `"${word}"`).join(' OR '), businessId, limit).map(read)
    },
    of: async (userId) => ofUser.all(userId).map(read),
    erase: (userId) => writer.write(() => eraseAll.run(userId).changes),
    forget: (before) => writer.write(() => forgetAll.run(before).changes)
  }
}
