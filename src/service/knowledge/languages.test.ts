// The language of a question, by its small words.
import { describe, expect, it } from 'vitest'
import { languageOf, smallWords } from './languages.ts'
import { conceptsOf, wordsOf } from './words.ts'

describe('languageOf', () => {
  it.each([
    ['Welche Frist gilt, um den Vertrag zu beenden?', 'german'],
    ['Que se passe-t-il si nous livrons en retard ?', 'french'],
    ['Does he die on the way in to Paris?', 'english'],
    ['What is the price of the Zimmer in Berlin?', 'english'],
    ['NWF-SOW-2217', 'english'],
    ['', 'english']
  ])('%s is %s', (text, language) => {
    expect(languageOf(wordsOf(text))).toBe(language)
  })

  it('leaves the small words of that language out of what is searched', () => {
    expect(conceptsOf('Was kostet ein Berater am Tag?').map(({ forms }) => forms[0])).toEqual(['kostet', 'berater', 'tag'])
    expect(conceptsOf('Quel est le montant du forfait ?').map(({ forms }) => forms[0])).toEqual(['montant', 'forfait'])
    expect(smallWords('english').size).toBe(0)
  })
})

describe('identifiers', () => {
  it.each([
    ['price of NWF-EDG-7', ['price', 'nwf edg 7']],
    ['DORA 2022/2554', ['dora', '2022 2554']],
    ['contract BW/FC/77-041', ['contract', 'bw fc 77 041']],
    ['nwf-edg-7', ['nwf edg 7']],
    ['5-minute recovery with multi-AZ', ['recovery', 'multi', 'az']],
    ['version 3.14', ['version']],
    [`A-1${'-x'.repeat(200)}`, []]
  ])('%s', (text, concepts) => {
    expect(conceptsOf(text).map(({ forms }) => forms[0])).toEqual(concepts)
  })
})
