// Guidance on passphrases says what helps.
import { expect, it } from 'vitest'
import { adviseOn } from './passphrase.ts'

it.each([
  ['', null],
  ['short', 'tooShort'],
  ['aaaaaaaaaaaaaaaaaaaaaaaa', 'repeated'],
  ['Tr0ub4d&r', 'weak'],
  ['fourteen chars', 'fair'],
  ['correct horse battery staple', 'good'],
  ['пароль из нескольких слов', 'good']
] as const)('says of %o: %s', (typed, advice) => expect(adviseOn(typed)).toBe(advice))

it('counts characters as people do', () => {
  expect(adviseOn('🐎🔋📎✅')).toBe('tooShort')
})
