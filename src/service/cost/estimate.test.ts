// Costs are computed exactly, from what the book says and nothing else.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readAmounts, readPeriod } from './amounts.ts'
import { asksForCost } from './costQuestion.ts'
import { estimate } from './estimate.ts'
import { estimateTable } from './estimateTable.ts'
import { exact, formatExact, formatUsd, parseExact, times } from './money.ts'
import { namedRegions } from './places.ts'
import { readPriceBook, type PriceBook } from './priceBook.ts'

let book: PriceBook
beforeAll(async () => {
  book = await readPriceBook('test/fixtures/pricing')
})
const usd = (text: string): bigint => parseExact(text) ?? -1n
const total = (question: string): string | null => {
  const sum = estimate(question, book)?.total
  return sum === null || sum === undefined ? null : formatExact(sum)
}

describe('estimate', () => {
  it.each([
    ['what do 3 m7i.large cost per month in us-east-1?', '220.752'],
    ['3 x m7i.large', '220.752'],
    ['three m7i.large instances', '220.752'],
    ['m7i.large in Frankfurt for a year', '1,058.208'],
    ['500 GB S3 standard for a month', '11.5'],
    ['60 TB in S3', '1,402.88'],
    ['1 PB of s3 storage per month', '22,583.296'],
    ['10 million lambda requests', '2'],
    ['250k Lambda requests a month', '0.05'],
    ['12 t3.micro 8 hours a day', '30.368'],
    ['2 NAT gateways and 500 GB egress', '110.7'],
    ['fargate 4 vCPU for a week', '27.20256'],
    ['1,000,000 GB-seconds of lambda duration', '16.6667'],
    ['3 hosted zones for 2 years', '36'],
    ['e2-standard-4 in europe-west3 for 3 months', '378.1497528']
  ])('%s → $%s', (question, expected) => {
    expect(total(question)).toBe(expected)
  })

  it.each([
    ['m7i.large in Tokyo', 'm7i.large in Tokyo is not in the price book'],
    ['four m9z.large', 'm9z.large is not in the price book'],
    ['5 windows m7i.large', 'm7i.large, windows, is not in the price book'],
    ['spot m7i.large', 'm7i.large, spot, is not in the price book'],
    ['20 TB egress', 'first 10 TB only'],
    ['2 NAT gateways with 300 GB', '“300 GB” was not priced']
  ])('%s: says what it can’t price and prices nothing in its place', (question, sentence) => {
    const computed = estimate(question, book)
    expect(computed?.missing.join(' ')).toContain(sentence)
    expect(computed?.lines.map(({ item }) => item.unit)).toEqual(question.includes('NAT') ? ['hour'] : [])
  })

  it('says the price of a unit, and no sum, when an amount is missing', () => {
    const computed = estimate('what does S3 cost?', book)
    expect(computed?.total).toBeNull()
    expect(computed?.lines[0]).toMatchObject({ cost: null, arithmetic: expect.stringContaining('$0.023 per GB-month') })
  })

  it('sets clouds side by side when none is named, and adds nothing up', () => {
    const computed = estimate('how much is 500 GB of object storage?', book)
    expect(computed?.lines.map(({ item, cost }) => [item.provider, formatExact(cost ?? -1n)])).toEqual([
      ['aws', '11.5'],
      ['gcp', '10']
    ])
    expect(computed).toMatchObject({ total: null, alternatives: true })
    expect(estimate('500 GB of object storage on Google', book)?.lines.map(({ item }) => item.provider)).toEqual(['gcp'])
    expect(estimate('500 GB of object storage', book, 'cloud: aws')?.lines.map(({ item }) => item.provider)).toEqual(['aws'])
  })

  it('takes the region from the session when the question names none', () => {
    expect(estimate('m7i.large', book, 'region eu-central-1')?.lines[0]?.item.region).toBe('eu-central-1')
  })

  it.each(['hello', '', 'how do I reduce costs?', 'what is 3 + 4', '<script>alert(1)</script>', '9'.repeat(5_000), 'x'.repeat(32_000)])(
    'finds nothing in %#',
    (text) => {
      expect(estimate(text, book)).toBeNull()
    }
  )

  it('never falls over, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.string(), fc.constantFrom('m7i.large', '3', 'GB', 'TB', 'per month', '8 hours a day', 'S3', ',', '1e9', '-5', 'for 0 months')),
          { maxLength: 12 }
        ),
        (parts) => {
          const computed = estimate(parts.join(' '), book)
          expect((computed?.lines ?? []).every(({ cost }) => cost === null || cost >= 0n)).toBe(true)
          expect(computed === null ? '' : estimateTable(computed).blocks.join('\n')).not.toMatch(/NaN|undefined|Infinity/)
        }
      ),
      { numRuns: 300 }
    )
  })
})

describe('estimateTable', () => {
  it('opens with the sum, shows the arithmetic, unit, region, date and source', () => {
    const computed = estimate('what do 3 m7i.large cost per month in us-east-1?', book)
    const { blocks, sources } = estimateTable(computed!)
    expect(blocks[0]).toBe('**$220.75 per month**: Amazon EC2 m7i.large, Linux, on demand, us-east-1.')
    expect(blocks[1]).toContain('| us-east-1 | 3 × 730 h × $0.1008 | $220.75 ($220.752) | 2026-02-09 [1] |')
    expect(blocks[2]).toContain('A month is counted as 730 hours.')
    expect(sources).toEqual([{ title: 'Fixture prices', url: 'https://example.com/ec2', asOf: '2026-02-09' }])
  })
})

describe('money', () => {
  it('is exact where floats are not', () => {
    expect(formatExact(times(usd('0.1'), usd('0.2')))).toBe('0.02')
    expect(formatExact(times(usd('0.0083764275'), exact(730)))).toBe('6.114792075')
    expect(formatExact(exact(3) * 0n + usd('9007199254740993'))).toBe('9,007,199,254,740,993')
  })

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 29n }), (value) => {
        expect(parseExact(formatExact(value))).toBe(value)
      })
    )
  })

  it.each(['', '-1', '1e5', 'NaN', '0x10', '1.2.3', '.5', '1.0000000000001', '١'])('refuses %s', (text) => {
    expect(parseExact(text)).toBeNull()
  })

  it('rounds cents half up and shows less than a cent whole', () => {
    expect(['0', '0.005', '0.0049', '1234567.895', '2.675'].map((text) => formatUsd(usd(text)))).toEqual([
      '$0.00',
      '$0.005',
      '$0.0049',
      '$1,234,567.90',
      '$2.68'
    ])
  })
})

describe('amounts and periods', () => {
  it.each([
    ['per month', '730'],
    ['monthly', '730'],
    ['a year', '8,760'],
    ['annually', '8,760'],
    ['for 6 weeks', '1,008'],
    ['for two years', '17,520'],
    ['over 10 days', '240'],
    ['each hour', '1'],
    ['', '730']
  ])('"%s" lasts %s hours', (text, hours) => {
    expect(formatExact(readPeriod(`something ${text}`).period.hours)).toBe(hours)
  })

  it('reads numbers with their units and leaves codes and prices alone', () => {
    expect(
      readAmounts('3 servers, 1.5 TB, two vCPU, 2,500 requests, $40, x86, us-east-1').map(({ kind, value }) => [kind, formatExact(value)])
    ).toEqual([
      ['count', '3'],
      ['gigabytes', '1,536'],
      ['vcpu', '2'],
      ['requests', '2,500']
    ])
  })

  it('knows regions by code, by Azure’s words and by city', () => {
    expect(namedRegions('eu-central-1, East US 2 and Frankfurt').map(({ codes }) => codes[0])).toEqual(['eu-central-1', 'eastus2', 'eu-central-1'])
    expect(namedRegions('in the west of the us, 2 of them')).toEqual([])
  })

  it('tells a question about money from another', () => {
    expect(['What does it cost?', 'how much is 5 GB', 'pricing of S3', '$ per hour'].every(asksForCost)).toBe(true)
    expect(['What is S3?', 'How do we plan the cutover?', 'payload size'].some(asksForCost)).toBe(false)
  })
})

describe('readPriceBook', () => {
  it('is empty where there is no folder, and names a file that is wrong', async () => {
    expect(await readPriceBook('test/fixtures/nowhere')).toEqual({ items: [], problems: [] })
    expect((await readPriceBook('test/fixtures')).problems).toContainEqual(expect.stringContaining('retrieval-questions.json'))
  })
})
