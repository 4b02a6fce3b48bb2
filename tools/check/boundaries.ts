// Checks the rules between folders. `node tools/check/boundaries.ts` prints each violation and exits 1 if there is one,
// or if suspiciously little was looked at: a checker that reads nothing finds nothing.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { argv, cwd } from 'node:process'
import { fileURLToPath } from 'node:url'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { boundaryRules } from './boundaryRules.ts'

export interface BoundaryReport {
  readonly modules: number
  readonly dependencies: number
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string; readonly comment: string }[]
}

/** `root` holds `src/`. Paths in the report are relative to it. */
export async function checkBoundaries(root: string): Promise<BoundaryReport> {
  const { output } = await cruise(
    ['src'],
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: [...boundaryRules] },
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      enhancedResolveOptions: {
        extensions: ['.ts', '.tsx', '.js', '.json', '.css'],
        exportsFields: ['exports'],
        conditionNames: ['import', 'types', 'default', 'node']
      }
    },
    undefined,
    existsSync(join(root, 'tsconfig.base.json')) ? undefined : {}
  )
  const { modules, summary } = output as ICruiseResult
  return {
    modules: modules.filter((m) => m.source.startsWith('src/')).length,
    dependencies: summary.totalDependenciesCruised ?? 0,
    violations: summary.violations.map((v) => ({
      rule: v.rule.name,
      from: v.from,
      to: v.to,
      comment: boundaryRules.find((r) => r.name === v.rule.name)?.comment ?? ''
    }))
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const report = await checkBoundaries(cwd())
  for (const v of report.violations) console.error(`${v.from} must not import ${v.to}: ${v.comment} (${v.rule})`)
  console.log(`boundaries: ${report.modules} modules, ${report.dependencies} dependencies, ${report.violations.length} violations`)
  if (report.modules < 50 || report.violations.length > 0) process.exitCode = 1
}
