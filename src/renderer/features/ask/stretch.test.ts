// The list holds its place only if it is told rightly what changed.
import { expect, it } from 'vitest'
import { changeOf } from './stretch.ts'

it('tells rows in front from rows behind and from another stretch', () => {
  expect(changeOf([], ['a'])).toBe('later')
  expect(changeOf(['b', 'c'], ['a', 'b', 'c'])).toBe('earlier')
  expect(changeOf(['a', 'b'], ['a', 'b', 'c'])).toBe('later')
  expect(changeOf(['a', 'b', 'c'], ['a', 'c'])).toBe('later')
  expect(changeOf(['a', 'b'], ['x', 'y'])).toBe('replaced')
  expect(changeOf(['b', 'c', 'd'], ['a', 'b', 'c'])).toBe('replaced')
})
