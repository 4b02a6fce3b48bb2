// Settings that change while the service runs: taken when they are good, refused with one line when not, and never half.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keptLog, tempFolder } from '../../test/fakes/service-parts.ts'
import { openLiveSettings } from './liveSettings.ts'

const rates = { requestsPerMinute: 60, socketMessagesPerMinute: 100, servicePerMinute: 1_000, streamsPerUser: 5 }

async function setUp(settings: object | string, limits: object = {}) {
  const folder = await tempFolder()
  const settingsFile = join(folder.path, 'settings.json')
  const limitsFile = join(folder.path, 'limits.json')
  const write = async (file: string, content: object | string): Promise<void> => {
    // By a rename, as editors and containers do.
    await writeFile(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content))
    await rename(`${file}.new`, file)
  }
  await write(settingsFile, settings)
  await write(limitsFile, limits)
  const logger = keptLog()
  const levels: string[] = []
  const open = () =>
    openLiveSettings({
      settingsFile,
      limitsFile,
      defaults: { tier: 'FREE', rates, logLevel: 'info', features: { questions: true, 'answer-cache': true } },
      logger,
      onLogLevel: (level) => void levels.push(level)
    })
  return {
    open, logger, levels,
    settings: (content: object | string) => write(settingsFile, content),
    limits: (content: object | string) => write(limitsFile, content),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]()
  } // prettier-ignore
}

const north = { userId: 'anna', organisation: 'north', client: '' }

describe('live settings', () => {
  it('change limits, budgets, rates, features and the log’s level without a restart', async () => {
    await using files = await setUp({})
    const live = await files.open()
    expect([live.policy.tierOf('north', undefined).turnsPerDay, live.policy.capsOf(north), live.rates, live.features['answer-cache']]).toEqual([
      10,
      [],
      rates,
      true
    ])
    await files.settings({ logLevel: 'debug', rates: { requestsPerMinute: 7 }, features: { 'answer-cache': false } })
    await files.limits({ organisations: { north: { tier: 'STARTER', budgetUsd: '2.5' } } })
    expect(await live.reload()).toBe(true)
    live.stop()
    expect(live.policy.tierOf('north', undefined).turnsPerDay).toBe(100)
    expect(live.policy.capsOf(north)).toEqual([{ organisation: 'north', client: null, micros: 2_500_000 }])
    expect(live.rates).toEqual({ ...rates, requestsPerMinute: 7 })
    expect(live.features).toEqual({ questions: true, 'answer-cache': false })
    expect(files.levels).toEqual(['info', 'debug'])
  })

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['an unknown name', { rate: {} }, 'is wrong at its top'],
    ['an unknown feature', { features: { magic: true } }, 'is wrong at features'],
    ['a wrong value', { rates: { requestsPerMinute: 0 } }, 'is wrong at rates.requestsPerMinute']
  ])('keep what was so, whole, when a file has %s, and say so in one line', async (_what, content, problem) => {
    await using files = await setUp({ rates: { streamsPerUser: 9 } })
    const live = await files.open()
    await files.limits({ organisations: { north: { tier: 'STARTER' } } })
    await files.settings(content)
    expect(await live.reload()).toBe(false)
    expect(live.rates.streamsPerUser).toBe(9)
    // Not half of it either: the other file was good.
    expect(live.policy.tierOf('north', undefined).turnsPerDay).toBe(10)
    expect(files.logger.lines.at(-1)).toMatchObject({
      level: 'error', event: 'settings.refused',
      fields: { problem: expect.stringMatching(new RegExp(`^Configuration: AI_SETTINGS_FILE .*${problem}[^\\n]*\\.$`)) }
    }) // prettier-ignore
    await files.settings({})
    expect(await live.reload()).toBe(true)
    live.stop()
    expect(live.policy.tierOf('north', undefined).turnsPerDay).toBe(100)
  })

  it('stop the start when they are wrong from the beginning', async () => {
    await using files = await setUp({ logLevel: 'loud' })
    await expect(files.open()).rejects.toThrow(/^Configuration: AI_SETTINGS_FILE .* is wrong at logLevel/)
  })

  it('are read again by themselves when a file is replaced', async () => {
    await using files = await setUp({})
    const live = await files.open()
    await files.settings({ features: { questions: false } })
    await expect.poll(() => live.features.questions, { timeout: 8_000, interval: 100 }).toBe(false)
    live.stop()
  }, 10_000)
})
