// The rules between folders of docs/architecture.md, for dependency-cruiser. Each has a planted violation in
// boundaries.test.ts that proves it bites.
import type { IForbiddenRuleType } from 'dependency-cruiser'

/** A port is `thing.ts`, its adapters `thing.<technology>.ts`. */
const ADAPTER = String.raw`^src/(main|service)/(?!electron/).*/[A-Za-z]+\.[A-Za-z0-9]+\.ts$`
/** Where adapters are put together: the composition roots, the entries of processes and workers, Electron's edge. */
const ROOTS = String.raw`^src/(main|service)/(compose\.ts|bin/|electron/)|^src/service/(gateway|turns|agent|knowledge|providers|cluster)/compose\.ts$|^src/main/.*/worker\.ts$`
const TEST = String.raw`\.test\.tsx?$`
/** Rooms of the service from top to bottom; each may import from itself and from those below. */
const SERVICE_FLOORS = [
  ['gateway'],
  ['sessions'],
  ['turns'],
  ['agent'],
  ['orchestrator', 'knowledge', 'actions', 'business'],
  ['providers'],
  ['limits', 'cost', 'keys', 'audit', 'safety', 'person', 'metrics', 'store', 'auth', 'schedule', 'events', 'decisions']
]

const serviceRules: IForbiddenRuleType[] = SERVICE_FLOORS.slice(1).map((floor, index) => ({
  name: `service-runs-down-from-${floor[0]}`,
  comment: 'In the service imports run down: gateway, turns, agent, orchestrator and knowledge, providers, and the base below.',
  severity: 'error',
  from: { path: `^src/service/(${floor.join('|')})/`, pathNot: TEST },
  to: {
    path: `^src/service/(${SERVICE_FLOORS.slice(0, index + 1)
      .flat()
      .join('|')})/`
  }
}))

export const boundaryRules: readonly IForbiddenRuleType[] = [
  {
    name: 'shared-is-pure',
    comment: 'shared imports only shared and the schema and proto runtimes.',
    severity: 'error',
    from: { path: '^src/shared/', pathNot: [TEST, '^src/shared/wire/gen/'] },
    to: { pathNot: ['^src/shared/', '^node_modules/(zod|@bufbuild/protobuf|uuid)/'] }
  },
  {
    name: 'generated-wire-knows-only-its-runtimes',
    comment: 'The generated codec needs the proto runtime and grpc-js.',
    severity: 'error',
    from: { path: '^src/shared/wire/gen/' },
    to: { pathNot: ['^src/shared/wire/gen/', '^node_modules/(@bufbuild/protobuf|@grpc/grpc-js)/'] }
  },
  {
    name: 'renderer-knows-only-shared',
    comment: 'renderer imports itself, shared (not its wire) and libraries.',
    severity: 'error',
    from: { path: '^src/renderer/', pathNot: TEST },
    to: { path: ['^src/(main|service|preload)/', '^src/shared/wire/', '^(test|tools|bench)/'] }
  },
  {
    name: 'renderer-has-no-node',
    comment: 'renderer runs sandboxed: nothing of Node or Electron.',
    severity: 'error',
    from: { path: '^src/renderer/', pathNot: TEST },
    to: { dependencyTypes: ['core'] }
  },
  {
    name: 'preload-knows-only-channel-names',
    comment: 'At run time preload imports the channel names and electron, nothing else.',
    severity: 'error',
    from: { path: '^src/preload/' },
    to: { pathNot: ['^src/shared/channels\\.ts$', '^node_modules/electron/'], dependencyTypesNot: ['type-only'] }
  },
  {
    name: 'main-and-service-never-meet',
    comment: 'main and service speak over the wire only.',
    severity: 'error',
    from: { path: '^src/(main|service)/' },
    to: { path: '^src/(main|service|renderer|preload)/', pathNot: '^src/$1/' }
  },
  {
    name: 'electron-at-the-edges',
    comment: 'Only main/electron and preload import electron, or what needs it.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(main/electron|preload)/' },
    to: { path: '^node_modules/(electron|electron-store)/' }
  },
  {
    name: 'electron-edge-is-a-leaf',
    comment: 'Nothing outside main/electron imports from it.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/main/electron/' },
    to: { path: '^src/main/electron/' }
  },
  {
    name: 'adapters-only-at-the-roots',
    comment: 'An adapter is imported by compose.ts, bin/, main/electron, a worker entry and tests; everybody else knows its port.',
    severity: 'error',
    from: { path: '^src/', pathNot: [ROOTS, TEST, ADAPTER] },
    to: { path: ADAPTER, pathNot: TEST }
  },
  {
    name: 'src-knows-no-tests-or-tools',
    comment: 'Nothing in src imports tests, tools or benchmarks.',
    severity: 'error',
    from: { path: '^src/', pathNot: [TEST, '^src/main/bin/'] },
    to: { path: ['^(test|tools|bench)/', TEST] }
  },
  {
    name: 'no-cycles',
    comment: 'No cycles, not even of types.',
    severity: 'error',
    from: { path: '^src/' },
    to: { circular: true }
  },
  {
    name: 'nothing-unresolved',
    comment: 'An import that can’t be resolved can’t be checked.',
    severity: 'error',
    from: { path: '^src/' },
    to: { couldNotResolve: true, pathNot: '\\?' }
  },
  ...serviceRules
]
