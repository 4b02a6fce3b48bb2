// The contract of message models and past decisions on every adapter, DynamoDB's protocol as dynalite speaks it.
import type { AddressInfo } from 'node:net'
import dynalite from 'dynalite'
import { describe, expect, it } from 'vitest'
import { openDynamoStore } from '../../src/service/decisions/decisions.dynamodb.ts'
import { createSqliteDecisions, createSqliteMessageModels } from '../../src/service/decisions/decisions.sqlite.ts'
import { createPerson, personalDecisions } from '../../src/service/person/person.ts'
import { tempStore } from '../fakes/service-parts.ts'
import { aDecision, decisionsContract } from './decisions.ts'

const options = { region: 'eu-central-1', prefix: 'test-', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }

async function dynamo() {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { endpoint, close: () => new Promise<void>((resolve) => void server.close(() => resolve())) }
}

describe('decisions in SQLite', () => {
  decisionsContract(async () => {
    const temp = await tempStore()
    return {
      models: createSqliteMessageModels(temp.store),
      decisions: createSqliteDecisions(temp.store),
      [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]()
    }
  })
})

describe('decisions in DynamoDB', () => {
  decisionsContract(async () => {
    const { endpoint, close } = await dynamo()
    const store = await openDynamoStore({ ...options, endpoint })
    return {
      ...store,
      async [Symbol.asyncDispose]() {
        store.stop()
        await close()
      }
    }
  })

  it('are there for the next process, which finds the tables made', async () => {
    const { endpoint, close } = await dynamo()
    const first = await openDynamoStore({ ...options, endpoint })
    await first.models.put({
      decisionCode: 'c', version: 1, businessId: null, description: 'd', inputTypes: ['t'], decisionType: 'none', template: '', parameters: [], actions: [], alwaysReview: false
    }) // prettier-ignore
    first.stop()
    const second = await openDynamoStore({ ...options, endpoint })
    expect(await second.models.list()).toMatchObject([{ decisionCode: 'c' }])
    second.stop()
    await close()
  })

  it('say in one sentence that the database is not there', async () => {
    const { endpoint, close } = await dynamo()
    await close()
    await expect(openDynamoStore({ ...options, endpoint })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('DynamoDB')
    })
  })

  it('are taken out and erased with everything else of a person', async () => {
    const { endpoint, close } = await dynamo()
    const { decisions, stop } = await openDynamoStore({ ...options, endpoint })
    await decisions.put(aDecision({ id: 'hers', userId: 'anna' }))
    await decisions.put(aDecision({ id: 'his', userId: 'bob' }))
    const person = createPerson({
      stores: [{ name: 'decisions', read: async () => [], erase: () => Promise.resolve(2) }, personalDecisions(decisions)],
      audit: { record: () => Promise.resolve() },
      stopTurns: () => Promise.resolve(),
      compact: () => Promise.resolve()
    })
    const lines = async (userId: string): Promise<unknown[]> => {
      const all: unknown[] = []
      for await (const line of person.export(userId, userId)) all.push(JSON.parse(line))
      return all
    }
    expect(await lines('anna')).toEqual([
      { format: 'aside-person', version: 1, userId: 'anna', stores: ['decisions'] },
      { store: 'decisions', value: { record: aDecision({ id: 'hers', userId: 'anna' }) } }
    ])
    // Two places of one thing are one count.
    expect(await person.erase('anna', 'anna')).toEqual({ decisions: 3 })
    expect(await lines('anna')).toHaveLength(1)
    expect(await lines('bob')).toHaveLength(2)
    stop()
    await close()
  })
})
