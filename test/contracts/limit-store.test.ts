// The contract of the stores of limits on every adapter.
import { describe } from 'vitest'
import { createMemoryLimitStore } from '../../src/service/limits/limitStore.memory.ts'
import { limitStoreContract } from './limit-store.ts'

describe('limits in memory', () => {
  limitStoreContract(async () => ({ store: createMemoryLimitStore(), [Symbol.asyncDispose]: () => Promise.resolve() }))
})
