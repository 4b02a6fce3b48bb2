// What a misspelt word may have been.
import { describe, expect, it } from 'vitest'
import { canBeMisspelt, nearestStems } from './spelling.ts'

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
    expect(nearestStems(word, stems)[0]).toBe(stem)
  })

  it.each(['hello', 'thanks', 'giraffe', 'penguin', 'inheritance'])('takes %s for nothing else', (word) => {
    expect(nearestStems(word, stems)).toEqual([])
  })

  it('names few of many', () => {
    expect(nearestStems('planning', ['plannin', 'planninx', 'planningx', 'plannina', 'planninb']).length).toBeLessThanOrEqual(3)
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
