// What Redis says of itself, as operators are told it.
import { expect, it } from 'vitest'
import { durabilityOf } from './durability.redis.ts'

it.each([
  [
    { appendonly: 'yes', appendfsync: 'always', maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' },
    { writes: 'always', evicts: false }
  ],
  [
    { appendonly: 'yes', appendfsync: 'everysec', maxmemory: '1000', 'maxmemory-policy': 'noeviction' },
    { writes: 'everysec', evicts: false }
  ],
  [
    { appendonly: 'yes', appendfsync: 'no', maxmemory: '1000', 'maxmemory-policy': 'volatile-ttl' },
    { writes: 'none', evicts: true }
  ],
  [
    { appendonly: 'no', appendfsync: 'always' },
    { writes: 'none', evicts: false }
  ]
])('reads from %j what is kept', (settings, durability) => {
  expect(durabilityOf(settings)).toEqual(durability)
})
