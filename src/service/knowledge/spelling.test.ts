// What a misspelt word may have been.
import { describe, expect, it } from 'vitest'
import { canBeMisspelt, nearestOf, nearestStems } from './spelling.ts'

const stems = ['liabil', 'accept', 'indemn', 'insur', 'forecast', 'interest', 'partit', 'psychiatr', 'dynamodb', 'hell', 'than', 'polici']

describe('nearestStems', () => {
  it.each([
    ['liabilty', 'liabil'],
    ['acceptence', 'accept'],
    ['insurence', 'insur'],
    ['forcast', 'forecast'],
    ['intrest', 'interest'],
    ['psychiatrc', 'psychiatr'],
    ['dynmodb', 'dynamodb'],
    ['oplicies', 'polici']
  ])('takes %s for %s', (word, stem) => {
    expect(nearestStems(word, stems).stems[0]).toBe(stem)
  })

  it.each(['hello', 'thanks', 'giraffe', 'penguin', 'inheritance'])('takes %s for nothing else', (word) => {
    expect(nearestStems(word, stems).stems).toEqual([])
  })

  it('names few of many', () => {
    expect(nearestStems('planning', ['plannin', 'planninx', 'planningx', 'plannina', 'planninb']).stems.length).toBeLessThanOrEqual(3)
  })
})

describe('nearestOf', () => {
  it('takes from all shelves together what one would have had', () => {
    const words = ['forecast', 'forecasts', 'forcasts', 'force', 'forecaster']
    for (let cut = 0; cut <= words.length; cut += 1) {
      const shelves = [words.slice(0, cut), words.slice(cut), words.slice(1)].map((some) => nearestStems('forcastes', some))
      expect(nearestOf(shelves)).toEqual(nearestStems('forcastes', words).stems)
    }
    expect(nearestOf([])).toEqual([])
    expect(nearestOf([nearestStems('giraffe', words)])).toEqual([])
  })
})

describe('canBeMisspelt', () => {
  it.each([
    ['liabilty', true],
    ['leek', false],
    ['mh2041', false],
    ['', false]
  ])('%s: %s', (word, isSo) => {
    expect(canBeMisspelt(word)).toBe(isSo)
  })
})
