// Every rule between folders is shown to bite: a violation is planted for each, in a small house of its own.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkBoundaries, type BoundaryReport } from './boundaries.ts'
import { boundaryRules } from './boundaryRules.ts'

/** A sound house: nothing in it breaks a rule. */
const sound: Record<string, string> = {
  'src/shared/turn.ts': `import { z } from 'zod'\nexport const turn = z.string()`,
  'src/shared/channels.ts': `export const CALL = 'call'`,
  'src/shared/wire/socket.ts': `import { turn } from '../turn.ts'\nexport const piece = turn`,
  'src/preload/index.ts': `import { ipcRenderer } from 'electron'\nimport type { turn } from '../shared/turn.ts'\nimport { CALL } from '../shared/channels.ts'\nexport type T = typeof turn\nipcRenderer.invoke(CALL)`,
  'src/renderer/main.ts': `import { turn } from '../shared/turn.ts'\nexport const here = turn`,
  'src/main/history/history.ts': `export interface History { readonly a: 1 }`,
  'src/main/history/history.sqlite.ts': `import type { History } from './history.ts'\nexport const sqlite: History = { a: 1 }`,
  'src/main/compose.ts': `import { sqlite } from './history/history.sqlite.ts'\nexport const made = sqlite`,
  'src/main/electron/index.ts': `import { app } from 'electron'\nimport { made } from '../compose.ts'\nexport const all = [app, made]`,
  'src/service/gateway/grpc.ts': `import { broker } from '../turns/broker.ts'\nexport const room = broker`,
  'src/service/turns/broker.ts': `export const broker = 1`,
  'src/service/agent/agent.ts': `export const agent = 1`,
  'src/service/orchestrator/route.ts': `export const route = 1`,
  'src/service/providers/provider.ts': `export const provider = 1`,
  'src/service/store/store.ts': `export const store = 1`
}

/** Rule to the file that breaks it, and what it says. */
const planted: Record<string, readonly [path: string, text: string]> = {
  'shared-is-pure': ['src/shared/impure.ts', `import { readFileSync } from 'node:fs'\nexport const read = readFileSync`],
  'generated-wire-knows-only-its-runtimes': ['src/shared/wire/gen/ai.ts', `import { turn } from '../../turn.ts'\nexport const t = turn`],
  'renderer-knows-only-shared': ['src/renderer/greedy.ts', `import { sqlite } from '../main/history/history.sqlite.ts'\nexport const s = sqlite`],
  'renderer-has-no-node': ['src/renderer/noded.ts', `import { join } from 'node:path'\nexport const j = join`],
  'preload-knows-only-channel-names': ['src/preload/heavy.ts', `import { turn } from '../shared/turn.ts'\nexport const t = turn`],
  'main-and-service-never-meet': ['src/main/shortcut.ts', `import { broker } from '../service/turns/broker.ts'\nexport const b = broker`],
  'electron-at-the-edges': ['src/main/ask/window.ts', `import { app } from 'electron'\nexport const a = app`],
  'electron-edge-is-a-leaf': ['src/main/ask/edge.ts', `import { all } from '../electron/index.ts'\nexport const e = all`],
  'adapters-only-at-the-roots': ['src/main/ask/desk.ts', `import { sqlite } from '../history/history.sqlite.ts'\nexport const s = sqlite`],
  'src-knows-no-tests-or-tools': ['src/main/ask/cheat.ts', `import { fake } from '../../../test/fakes/fake.ts'\nexport const f = fake`],
  'no-cycles': ['src/main/ask/round.ts', `import type { Other } from './about.ts'\nexport interface Round { readonly other: Other }`],
  'nothing-unresolved': ['src/main/ask/lost.ts', `import { nowhere } from './nowhere.ts'\nexport const n = nowhere`],
  'service-runs-down-from-sessions': ['src/service/sessions/up.ts', `import { room } from '../gateway/grpc.ts'\nexport const r = room`],
  'service-runs-down-from-turns': ['src/service/turns/up.ts', `import { room } from '../gateway/grpc.ts'\nexport const r = room`],
  'service-runs-down-from-agent': ['src/service/agent/up.ts', `import { broker } from '../turns/broker.ts'\nexport const b = broker`],
  'service-runs-down-from-orchestrator': ['src/service/orchestrator/up.ts', `import { agent } from '../agent/agent.ts'\nexport const a = agent`],
  'service-runs-down-from-providers': ['src/service/providers/up.ts', `import { route } from '../orchestrator/route.ts'\nexport const r = route`],
  'service-runs-down-from-limits': ['src/service/store/up.ts', `import { provider } from '../providers/provider.ts'\nexport const p = provider`]
}
const helpers: Record<string, string> = {
  'src/main/ask/about.ts': `import type { Round } from './round.ts'\nexport interface Other { readonly round: Round }`,
  'test/fakes/fake.ts': `export const fake = 1`
}

/** Just enough of a package for an import of it to resolve. */
const packages = Object.fromEntries(
  ['zod', 'electron'].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, '']
  ])
)

async function house(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'aside-boundaries-'))
  for (const [path, text] of Object.entries({ ...packages, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

describe('rules between folders', () => {
  const roots: string[] = []
  let report: BoundaryReport
  beforeAll(async () => {
    const root = await house({ ...sound, ...helpers, ...Object.fromEntries(Object.values(planted)) })
    roots.push(root)
    report = await checkBoundaries(root)
  })
  afterAll(async () => {
    for (const root of roots) await rm(root, { recursive: true })
  })

  it('finds nothing wrong with a sound house, and has read it', async () => {
    const root = await house(sound)
    roots.push(root)
    const clean = await checkBoundaries(root)
    expect(clean.violations).toEqual([])
    expect(clean.modules).toBe(Object.keys(sound).length)
  })

  it('has a planted violation for every rule', () => {
    expect(new Set(Object.keys(planted))).toEqual(new Set(boundaryRules.map((rule) => rule.name)))
  })

  it.each(Object.entries(planted))('%s bites', (rule, [path]) => {
    // A cycle is reported from whichever of its files comes first.
    const culprits = rule === 'no-cycles' ? [path, 'src/main/ask/about.ts'] : [path]
    expect(report.violations.filter((v) => v.rule === rule && culprits.includes(v.from))).not.toEqual([])
  })

  it('blames no file that is sound', () => {
    const blamed = new Set(report.violations.map((v) => v.from))
    expect(Object.keys(sound).filter((path) => blamed.has(path))).toEqual([])
  })
})
