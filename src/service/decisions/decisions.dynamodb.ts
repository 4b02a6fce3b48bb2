// Message models and past decisions in DynamoDB (or what speaks its protocol). Similar decisions are looked for among the newest of
// the business, because DynamoDB has no text search.
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
  type CreateTableCommandInput
} from '@aws-sdk/client-dynamodb'
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { CopilotError } from '../../shared/errors.ts'
import { messageModelSchema, pastDecisionSchema, type Decisions, type KeptModel, type MessageModels, type PastDecision } from './decisions.ts'
import { fitting, latest, requireSame, wordsOf } from './latest.ts'

export interface DynamoOptions {
  readonly region: string
  /** Null: AWS itself. */
  readonly endpoint: string | null
  /** Null: the client finds them by itself, as AWS's tools do. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | null
  /** Before the names of the tables. */
  readonly prefix: string
}

export interface DynamoStore {
  readonly models: MessageModels
  readonly decisions: Decisions
  stop(): void
}

/** How many of a business's newest decisions are compared with a text. */
const COMPARED = 500
const BY_TIME = 'business-time'
const BY_USER = 'user'

/** Makes the tables where they are missing. Throws `unavailable` when the database can't be reached. */
export async function openDynamoStore(options: DynamoOptions): Promise<DynamoStore> {
  const { region, endpoint, credentials, prefix } = options
  const client = new DynamoDBClient({
    region,
    maxAttempts: 3,
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null ? {} : { credentials })
  })
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
  const tables = { models: `${prefix}message-models`, decisions: `${prefix}decisions` }
  try {
    await reached(async () => {
      await makeTable(client, modelTable(tables.models))
      await makeTable(client, decisionTable(tables.decisions))
    })
  } catch (error) {
    client.destroy()
    throw error
  }
  return { models: modelsIn(documents, tables.models), decisions: decisionsIn(documents, tables.decisions), stop: () => client.destroy() }
}

function modelsIn(documents: DynamoDBDocumentClient, TableName: string): MessageModels {
  const all = async (): Promise<readonly KeptModel[]> => {
    const models: KeptModel[] = []
    for (let from: Record<string, unknown> | undefined, isMore = true; isMore; isMore = from !== undefined) {
      const page = await documents.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: from }))
      models.push(...(page.Items ?? []).map(readModel))
      from = page.LastEvaluatedKey
    }
    return models
  }
  const get = async (decisionCode: string, version: number): Promise<KeptModel | null> => {
    const { Item } = await documents.send(new GetCommand({ TableName, Key: { decisionCode, version }, ConsistentRead: true }))
    return Item === undefined ? null : readModel(Item)
  }
  return {
    put: (model) =>
      reached(async () => {
        const Item = { ...messageModelSchema.parse(model), usageCount: 0, lastUsed: null }
        try {
          await documents.send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(decisionCode)' }))
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error
          const kept = await get(model.decisionCode, model.version)
          if (kept !== null) requireSame(kept, model)
        }
      }),
    get: (decisionCode, version) => reached(() => get(decisionCode, version)),
    fitting: (inputType, businessId) => reached(async () => fitting(await all(), inputType, businessId)),
    list: () => reached(async () => latest(await all())),
    used: (decisionCode, version, now) =>
      reached(async () => {
        const Key = { decisionCode, version }
        const exists = 'attribute_exists(decisionCode)'
        try {
          await documents.send(
            new UpdateCommand({
              TableName,
              Key,
              UpdateExpression: 'ADD usageCount :one SET lastUsed = :now',
              ConditionExpression: exists,
              ExpressionAttributeValues: { ':one': 1, ':now': now }
            })
          )
        } catch (error) {
          // A use of what is not there counts nowhere; the update would otherwise make half a model.
          if (!(error instanceof ConditionalCheckFailedException)) throw error
        }
      })
  }
}

type DecisionKey = Pick<PastDecision, 'id' | 'businessId'>
interface Page {
  readonly Items?: Record<string, unknown>[] | undefined
  readonly LastEvaluatedKey?: Record<string, unknown> | undefined
}

/** Keys of all pages; each page is asked for when it is wanted. */
async function* allKeys(ask: (from: Record<string, unknown> | undefined) => Promise<Page>): AsyncGenerator<DecisionKey> {
  for (let from: Record<string, unknown> | undefined, isMore = true; isMore; isMore = from !== undefined) {
    const { Items = [], LastEvaluatedKey } = await ask(from)
    for (const { id, businessId } of Items) yield { id: String(id), businessId: String(businessId) }
    from = LastEvaluatedKey
  }
}

function decisionsIn(documents: DynamoDBDocumentClient, TableName: string): Decisions {
  const keysOf = (userId: string): AsyncGenerator<DecisionKey> =>
    allKeys((from) =>
      documents.send(
        new QueryCommand({
          TableName,
          IndexName: BY_USER,
          KeyConditionExpression: 'userId = :user',
          ExpressionAttributeValues: { ':user': userId },
          ExclusiveStartKey: from
        })
      )
    )
  // The whole table is read: once a day, and there is no index of all businesses by time.
  const keysBefore = (before: number): AsyncGenerator<DecisionKey> =>
    allKeys((from) =>
      documents.send(
        new ScanCommand({
          TableName,
          FilterExpression: 'decidedAt < :before',
          ProjectionExpression: 'id, businessId',
          ExpressionAttributeValues: { ':before': before },
          ExclusiveStartKey: from
        })
      )
    )
  const removeAll = async (keys: AsyncIterable<DecisionKey>): Promise<number> => {
    let removed = 0
    for await (const Key of keys) {
      await documents.send(new DeleteCommand({ TableName, Key }))
      removed += 1
    }
    return removed
  }
  return {
    put: (decision) => reached(async () => void (await documents.send(new PutCommand({ TableName, Item: decision })))),
    get: ({ id, businessId }) =>
      reached(async () => {
        const { Item } = await documents.send(new GetCommand({ TableName, Key: { id, businessId }, ConsistentRead: true }))
        return Item === undefined ? null : pastDecisionSchema.parse(Item)
      }),
    similar: ({ businessId, text, limit }) =>
      reached(async () => {
        const words = wordsOf(text)
        if (words.length === 0) return []
        const { Items = [] } = await documents.send(
          new QueryCommand({
            TableName,
            IndexName: BY_TIME,
            KeyConditionExpression: 'businessId = :business',
            ExpressionAttributeValues: { ':business': businessId },
            ScanIndexForward: false,
            Limit: COMPARED
          })
        )
        return mostAlike(
          Items.map((item) => pastDecisionSchema.parse(item)),
          words
        ).slice(0, limit)
      }),
    of: (userId) =>
      reached(async () => {
        const decisions: PastDecision[] = []
        for await (const Key of keysOf(userId)) {
          const { Item } = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
          if (Item !== undefined) decisions.push(pastDecisionSchema.parse(Item))
        }
        return decisions.sort((a, b) => a.decidedAt - b.decidedAt)
      }),
    erase: (userId) => reached(() => removeAll(keysOf(userId))),
    forget: (before) => reached(() => removeAll(keysBefore(before)))
  }
}

/** Those that share a word, most shared words first, then the newest. */
function mostAlike(newestFirst: readonly PastDecision[], words: readonly string[]): PastDecision[] {
  return newestFirst
    .map((decision) => {
      const said = new Set(wordsOf(decision.summary))
      return { decision, shared: words.filter((word) => said.has(word)).length }
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared)
    .map(({ decision }) => decision)
}

function readModel(item: Record<string, unknown>): KeptModel {
  const { usageCount, lastUsed } = item
  return {
    ...messageModelSchema.parse(item),
    usageCount: typeof usageCount === 'number' ? usageCount : 0,
    lastUsed: typeof lastUsed === 'number' ? lastUsed : null
  }
}

const modelTable = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'decisionCode', AttributeType: 'S' },
    { AttributeName: 'version', AttributeType: 'N' }
  ],
  KeySchema: [
    { AttributeName: 'decisionCode', KeyType: 'HASH' },
    { AttributeName: 'version', KeyType: 'RANGE' }
  ]
})

const decisionTable = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'businessId', AttributeType: 'S' },
    { AttributeName: 'decidedAt', AttributeType: 'N' },
    { AttributeName: 'userId', AttributeType: 'S' }
  ],
  KeySchema: [
    { AttributeName: 'id', KeyType: 'HASH' },
    { AttributeName: 'businessId', KeyType: 'RANGE' }
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: BY_TIME,
      KeySchema: [
        { AttributeName: 'businessId', KeyType: 'HASH' },
        { AttributeName: 'decidedAt', KeyType: 'RANGE' }
      ],
      Projection: { ProjectionType: 'ALL' }
    },
    { IndexName: BY_USER, KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } }
  ]
})

const TABLE_READY_SECONDS = 60

async function makeTable(client: DynamoDBClient, table: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(table))
  } catch (error) {
    // Another process made it, or it was there.
    if (!(error instanceof ResourceInUseException)) throw error
  }
  await waitUntilTableExists({ client, maxWaitTime: TABLE_READY_SECONDS, minDelay: 0.05, maxDelay: 2 }, { TableName: table.TableName })
}

/** What goes wrong on the way, in our words; bugs and our own errors stay as they are. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CopilotError || !('$metadata' in error || 'code' in error || error.name === 'TimeoutError'))
      throw error
    throw new CopilotError('unavailable', `The decision store (DynamoDB) can’t be used: ${error.name}. Check its address and keys.`, { cause: error })
  }
}
