// Message models and past decisions in the shared PostgreSQL; similar ones by the words that they share.
import type { PostgresQueries } from '../store/postgres.ts'
import { messageModelSchema, pastDecisionSchema, type Decisions, type KeptModel, type MessageModels, type PastDecision } from './decisions.ts'
import { fitting, latest, requireSame, wordsOf } from './latest.ts'

interface ModelRow {
  readonly model: string
  readonly usageCount: number
  readonly lastUsed: number | null
}

const MODELS = 'SELECT model, usage_count AS "usageCount", last_used AS "lastUsed" FROM message_model'

export function createPostgresMessageModels(postgres: PostgresQueries): MessageModels {
  const read = ({ model, usageCount, lastUsed }: ModelRow): KeptModel => ({ ...messageModelSchema.parse(JSON.parse(model)), usageCount, lastUsed })
  const all = async (): Promise<KeptModel[]> => (await postgres.rows<ModelRow>(MODELS)).map(read)
  const get = async (decisionCode: string, version: number): Promise<KeptModel | null> => {
    const [row] = await postgres.rows<ModelRow>(`${MODELS} WHERE decision_code = $1 AND version = $2`, [decisionCode, version])
    return row === undefined ? null : read(row)
  }
  return {
    async put(model) {
      const added = await postgres.count('INSERT INTO message_model (decision_code, version, model) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
        model.decisionCode,
        model.version,
        JSON.stringify(messageModelSchema.parse(model))
      ])
      const kept = added === 1 ? null : await get(model.decisionCode, model.version)
      if (kept !== null) requireSame(kept, model)
    },
    get,
    fitting: async (inputType, businessId) => fitting(await all(), inputType, businessId),
    list: async () => latest(await all()),
    async used(decisionCode, version, now) {
      await postgres.count(
        `UPDATE message_model SET usage_count = usage_count + 1, last_used = greatest(coalesce(last_used, 0), $1)
         WHERE decision_code = $2 AND version = $3`,
        [now, decisionCode, version]
      )
    }
  }
}

export function createPostgresDecisions(postgres: PostgresQueries): Decisions {
  const read = ({ record }: { record: string }): PastDecision => pastDecisionSchema.parse(JSON.parse(record))
  return {
    async put(decision) {
      const { id, businessId, userId = null, decidedAt, summary } = decision
      await postgres.count(
        `INSERT INTO past_decision (id, business_id, user_id, decided_at, words, record) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id, business_id) DO UPDATE
         SET user_id = excluded.user_id, decided_at = excluded.decided_at, words = excluded.words, record = excluded.record`,
        [id, businessId, userId, decidedAt, wordsOf(summary), JSON.stringify(decision)]
      )
    },
    async get({ id, businessId }) {
      const [row] = await postgres.rows<{ record: string }>('SELECT record FROM past_decision WHERE id = $1 AND business_id = $2', [id, businessId])
      return row === undefined ? null : read(row)
    },
    async similar({ businessId, text, limit }) {
      const words = wordsOf(text)
      if (words.length === 0) return []
      const rows = await postgres.rows<{ record: string }>(
        `SELECT record FROM past_decision WHERE business_id = $1 AND words && $2::text[]
         ORDER BY cardinality(ARRAY(SELECT unnest(words) INTERSECT SELECT unnest($2::text[]))) DESC, decided_at DESC, id LIMIT $3`,
        [businessId, words, limit]
      )
      return rows.map(read)
    },
    of: async (userId) =>
      (await postgres.rows<{ record: string }>('SELECT record FROM past_decision WHERE user_id = $1 ORDER BY decided_at, position', [userId])).map(
        read
      ),
    erase: (userId) => postgres.count('DELETE FROM past_decision WHERE user_id = $1', [userId]),
    forget: (before) => postgres.count('DELETE FROM past_decision WHERE decided_at < $1', [before])
  }
}
