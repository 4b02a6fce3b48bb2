// Property: whatever is done to a chain afterwards, verification tells.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditActions, type AuditEvent } from './audit.ts'
import { hashOf, nextEntry, verifyChain, type AuditEntry } from './chain.ts'

const event: fc.Arbitrary<AuditEvent> = fc.record({
  actor: fc.string({ unit: 'grapheme' }),
  action: fc.constantFrom(...auditActions),
  subject: fc.string(),
  details: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()))
})

function chainOf(events: readonly AuditEvent[]): AuditEntry[] {
  const entries: AuditEntry[] = []
  for (const [index, one] of events.entries()) entries.push(nextEntry(entries.at(-1) ?? null, one, 1_000 + index))
  return entries
}
const some = fc.array(event, { minLength: 2, maxLength: 12 })
const headOf = ({ n, hash, at }: AuditEntry) => ({ n, hash, at })

describe('audit chain', () => {
  it('accepts what was written, with every head that was true at its time', () => {
    fc.assert(
      fc.property(some, (events) => {
        const entries = chainOf(events)
        expect(verifyChain(entries, entries.map(headOf))).toEqual({
          ok: true,
          entries: events.length,
          heads: events.length,
          brokenAt: null,
          reason: ''
        })
      })
    )
  })

  it('finds any entry that was changed, and says which', () => {
    fc.assert(
      fc.property(some, fc.nat(), fc.constantFrom('actor', 'subject', 'action', 'at', 'details'), (events, pick, field) => {
        const entries = chainOf(events)
        const index = pick % entries.length
        const victim = entries[index] ?? expect.fail()
        const changes = {
          actor: { actor: `${victim.actor}!` },
          subject: { subject: `${victim.subject}!` },
          action: { action: victim.action === 'access.denied' ? ('person.erased' as const) : ('access.denied' as const) },
          at: { at: victim.at + 1 },
          details: { details: { ...victim.details, added: true } }
        }
        entries[index] = { ...victim, ...changes[field] }
        expect(verifyChain(entries, [])).toMatchObject({ ok: false, brokenAt: index + 1 })
      })
    )
  })

  it('finds an entry that was taken out, put in twice or moved', () => {
    fc.assert(
      fc.property(some, fc.nat(), fc.constantFrom('out', 'twice', 'swap'), (events, pick, how) => {
        const entries = chainOf(events)
        const index = pick % (entries.length - 1)
        const one = entries[index] ?? expect.fail()
        const two = entries[index + 1] ?? expect.fail()
        if (how === 'out') entries.splice(index, 1)
        if (how === 'twice') entries.splice(index, 0, one)
        if (how === 'swap') entries.splice(index, 2, two, one)
        expect(verifyChain(entries, []).ok).toBe(false)
      })
    )
  })

  it('finds an end that was cut off, and a chain that was written anew, by a head', () => {
    fc.assert(
      fc.property(some, fc.nat(), (events, pick) => {
        const entries = chainOf(events)
        const head = headOf(entries.at(-1) ?? expect.fail())
        expect(verifyChain(entries.slice(0, -1), [head])).toMatchObject({ ok: false, brokenAt: entries.length })
        const first = events[pick % events.length] ?? expect.fail()
        const anew = chainOf(events.map((one) => (one === first ? { ...one, actor: `${one.actor}?` } : one)))
        expect(verifyChain(anew, [])).toMatchObject({ ok: true })
        expect(verifyChain(anew, [head])).toMatchObject({ ok: false, brokenAt: entries.length })
      })
    )
  })

  it('does not hang on the order in which details were read', () => {
    const [entry] = chainOf([{ actor: 'a', action: 'person.erased', subject: 's', details: { b: 1, a: 2 } }])
    if (entry === undefined) expect.fail()
    expect(hashOf({ ...entry, details: { a: 2, b: 1 } })).toBe(entry.hash)
  })
})
