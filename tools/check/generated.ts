// Is generated code up to date? Generates into a temporary folder and compares with what is committed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

const COMMITTED = 'src/shared/wire/gen'
const fresh = mkdtempSync(join(tmpdir(), 'aside-generated-'))
try {
  const template = JSON.stringify({
    version: 'v2',
    plugins: [{ ...pluginOf(readFileSync('buf.gen.yaml', 'utf8')), out: fresh }]
  })
  execFileSync('node_modules/.bin/buf', ['generate', '--template', template], { stdio: ['ignore', 'ignore', 'inherit'] })
  const names = new Set([...readdirSync(fresh), ...readdirSync(COMMITTED)])
  const stale = [...names].filter((name) => read(join(fresh, name)) !== read(join(COMMITTED, name)))
  if (stale.length > 0) {
    console.error(`Generated code is out of date: ${stale.join(', ')}. Run "npm run generate" and commit the result.`)
    process.exitCode = 1
  } else console.log(`generated: ${names.size} file(s) up to date`)
} finally {
  rmSync(fresh, { recursive: true })
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The plugin as buf.gen.yaml has it, so that options are written down once. */
function pluginOf(yaml: string): { local: string; opt: string[] } {
  const { plugins } = parse(yaml) as { plugins: { local: string; opt: string[] }[] }
  const [plugin] = plugins
  if (plugin === undefined) throw new Error('buf.gen.yaml has no plugin')
  return plugin
}
