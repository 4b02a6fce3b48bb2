// npm run --silent conformance [-- --only dialects|providers] [--quick] [--match REGEX]: every conversation with foreign clients. Steps go to standard error; the last
// line is JSON. Ends well only when every step held and, in a whole run, every line of the protocol page was shown.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { foreignPeers, command, provision } from '../../tools/run/provision.ts'
import { dialectConformance } from './dialects.ts'
import { protocolTable, unshown } from './protocolTable.ts'
import { createReport, type Report } from './report.ts'

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false }, match: { type: 'string', default: '' } }
})
const kept = createReport({ say: (line) => process.stderr.write(`${line}\n`), stepMs: 90_000 })
const wanted = new RegExp(values.match)
const report: Report = { step: async (conversation, ...step) => (wanted.test(conversation) ? await kept.step(conversation, ...step) : undefined) }

/** The other half is written beside the providers. */
async function providers(): Promise<void> {
  const file = new URL('./providers.ts', import.meta.url)
  if (!existsSync(file)) return
  const { providerConformance } = (await import(file.href)) as { providerConformance(report: Report): Promise<void> }
  await providerConformance(report)
}

const halves: Readonly<Record<string, () => Promise<void>>> = { dialects: () => dialectConformance(report, { quick: values.quick }), providers }
await provision([...foreignPeers, command('curl', ['curl'])])
for (const [name, run] of Object.entries(halves)) {
  if (values.only !== undefined && values.only !== name) continue
  // What breaks outside of a step is a failure of the run, not its end: the other half still counts.
  await run().catch((error: unknown) => report.step(name, 'runs to its end', () => Promise.reject(error)))
}
const outcome = kept.outcome()
// A part of the run shows a part of the page.
const isWhole = values.only === undefined && !values.quick && values.match === ''
const missing = isWhole ? unshown(kept.held) : []
for (const line of missing) process.stderr.write(`NOT SHOWN  ${line}\n`)
const ok = outcome.ok && missing.length === 0
const protocol = isWhole ? { protocolLines: protocolTable.length, notShown: missing } : {}
// At once: the mock of the providers sleeps through its faults for minutes, also when it has been stopped.
process.stdout.write(`${JSON.stringify({ ...outcome, ok, ...protocol })}\n`, () => process.exit(ok ? 0 : 1))
