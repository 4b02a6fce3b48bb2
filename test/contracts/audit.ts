// What every audit log promises: what was recorded can be read page by page, belongs to somebody, and is as it was written.
import { expect, it } from 'vitest'
import type { AuditLog } from '../../src/service/audit/reader.ts'

export interface OpenAudit extends AsyncDisposable {
  readonly audit: AuditLog
  /** Opens the same log again, as after a restart. */
  reopen(): Promise<AuditLog>
}

export function auditContract(open: () => Promise<OpenAudit>): void {
  it('goes on where it left off, also when many record at once, and verifies', async () => {
    await using house = await open()
    const record = (audit: AuditLog, n: number): Promise<void> =>
      audit.record({
        actor: n % 2 === 0 ? 'anna' : 'bob',
        action: 'provider-key.used',
        subject: `key ${n}`,
        details: { n, text: '\u0000 <b>', on: true }
      })
    expect(await house.audit.verify()).toMatchObject({ ok: true, entries: 0 })
    await Promise.all(Array.from({ length: 450 }, (_, n) => record(house.audit, n)))
    expect(await house.audit.verify()).toMatchObject({ ok: true, entries: 450 })
    await house.audit.stop()
    await expect(record(house.audit, 1)).rejects.toThrow('closed')
    const again = await house.reopen()
    await record(again, 450)
    expect(await again.verify()).toMatchObject({ ok: true, entries: 451, brokenAt: null, reason: '' })
    await again.stop()
  })

  it('is read newest first by page, and by person', async () => {
    await using house = await open()
    const { audit } = house
    for (const [index, actor] of ['anna', 'bob', 'anna'].entries()) await audit.record({ actor, action: 'access.denied', subject: `s${index}` })
    await audit.record({ actor: 'service', action: 'limit.overridden', subject: 'anna', details: { until: 5 } })
    const page = await audit.page({ limit: 3 })
    expect(page.map(({ n, subject }) => [n, subject])).toEqual([
      [4, 'anna'],
      [3, 's2'],
      [2, 's1']
    ])
    expect(page[0]).toMatchObject({ actor: 'service', action: 'limit.overridden', details: { until: 5 } })
    expect((await audit.page({ limit: 9, before: 2 })).map(({ n }) => n)).toEqual([1])
    expect((await audit.entriesOf('anna')).map(({ n }) => n)).toEqual([1, 3, 4])
    await audit.stop()
  })

  it('takes any text as it is', async () => {
    await using house = await open()
    const { audit } = house
    for (const words of ['', '\u0000\u0001', '\ud800', '<script>', '😀'.repeat(50_000)]) {
      await audit.record({ actor: words, action: 'access.denied', subject: words, details: { [words.slice(0, 20)]: words } })
    }
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 5 })
    expect((await audit.page({ limit: 1 }))[0]?.subject).toBe('😀'.repeat(50_000))
    await audit.stop()
  })
}
