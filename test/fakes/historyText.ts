// Texts of every kind for property tests: plain, accented, without spaces, right to left, emoji, control characters, and
// halves of surrogate pairs. fast-check's own Unicode units take seconds to set up.
import * as fc from 'fast-check'

export function anyText(maxLength: number): fc.Arbitrary<string> {
  const unit = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
    { weight: 2, arbitrary: fc.integer({ min: 0xa0, max: 0x24f }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x1f }) },
    { weight: 1, arbitrary: fc.integer({ min: 0x300, max: 0x36f }) },
    { weight: 2, arbitrary: fc.integer({ min: 0x3040, max: 0x30ff }) },
    { weight: 1, arbitrary: fc.integer({ min: 0xd800, max: 0xdfff }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 0x10ffff }) }
  )
  return fc.array(unit, { maxLength }).map((codes) => String.fromCodePoint(...codes))
}
