// The operator's page names every setting that is read, every figure that is kept, and nothing that is neither.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { alertIds } from './metrics/alertRules.ts'
import { createPrometheusMetrics } from './metrics/metrics.prometheus.ts'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')
const page = await read('../../docs/operations.md')
/** Read for other reasons than to set something: npm, the platform, the desktop that starts the service. */
const internal = new Set(['APPDATA', 'XDG_DATA_HOME', 'ASIDE_LAUNCH_TOKEN'])

const settings = async (): Promise<Set<string>> => {
  const sources = await Promise.all(['./config.ts', './upstreamConfig.ts'].map(read))
  const names = sources.flatMap((source) => [...source.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_?|PORT)'/g)].map(([, name = '']) => name))
  return new Set(names.filter((name) => !internal.has(name)))
}

describe('docs/operations.md', () => {
  it('names every setting', async () => {
    const known = await settings()
    expect(known.size).toBeGreaterThan(35)
    expect([...known].filter((name) => !page.includes(`\`${name}`) && !page.includes(`${name}=`))).toEqual([])
  })

  it('names no setting that nobody reads', async () => {
    const known = await settings()
    const named = [...page.matchAll(/`((?:AI|ASIDE|AUTH)_[A-Z_]*[A-Z])`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !known.has(name) && ![...known].some((prefix) => prefix.endsWith('_') && name.startsWith(prefix)))).toEqual([])
  })

  it('names every figure and every alert', async () => {
    const { text } = await createPrometheusMetrics({ version: '1' }).render(new AbortController().signal)
    const figures = [...text.matchAll(/^# HELP (aside_\w+)/gm)].map(([, name = '']) => name)
    expect(figures.length).toBeGreaterThan(25)
    expect(figures.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
    expect([...page.matchAll(/`(aside_\w+)`/g)].map(([, name = '']) => name).filter((name) => !figures.includes(name))).toEqual([])
    expect(alertIds.filter((id) => !page.includes(`| \`${id}\` |`))).toEqual([])
  })
})
