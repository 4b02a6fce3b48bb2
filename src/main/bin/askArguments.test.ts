import { describe, expect, test } from 'vitest'
import { faultOf, parseArguments } from './askArguments.ts'

const ask = { kind: 'ask', text: 'why?', session: null, action: null, json: false }

describe('parseArguments', () => {
  test.each([
    [['why?'], ask],
    [['why?', '--session', ' Northwind '], { ...ask, session: 'Northwind' }],
    [['--json', '-s', 'N', 'why?', '--action', 'cost'], { ...ask, session: 'N', json: true, action: 'cost' }],
    [['-'], { ...ask, text: null }],
    [['--', '--toggle'], { ...ask, text: '--toggle' }],
    [['--toggle'], { kind: 'show', what: 'toggle', text: null }],
    [['--show'], { kind: 'show', what: 'overlay', text: null }],
    [['--show', 'draft'], { kind: 'show', what: 'overlay', text: 'draft' }],
    [['--help', 'anything'], { kind: 'help' }],
    [['-h'], { kind: 'help' }]
  ])('%j', (argv, wish) => {
    expect(parseArguments(argv)).toEqual(wish)
  })
  test.each([
    [[]],
    [['two', 'questions']],
    [['--toggle', 'x']],
    [['--nope', 'x']],
    [['x', '--session']],
    [['x', '--session', ' ']],
    [['x', '--session', 'n'.repeat(201)]],
    [['x', '--action', 'sing']],
    [['x', '--json=yes']]
  ])('%j is bad usage, told in one line', (argv) => {
    const wish = parseArguments(argv)
    expect(wish).toMatchObject({ kind: 'wrong' })
    expect(wish.kind === 'wrong' ? wish.message : '').toMatch(/^\P{Cc}{10,200}$/u)
  })
})

test('faultOf: empty, too long, or fine', () => {
  expect(['', ' \n', '\u0000\u001b'].map(faultOf)).toEqual(['The question is empty', 'The question is empty', 'The question is empty'])
  expect(faultOf('x'.repeat(200_000))).toBe('The question has 200,000 characters; 32,000 is the most')
  expect(faultOf('x'.repeat(32_000))).toBeNull()
})
