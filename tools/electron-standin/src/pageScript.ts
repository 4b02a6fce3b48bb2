// Builds the text that is injected into every document before its own scripts: the files in page/, types stripped and joined.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Script } from 'node:vm'
import type { IsolatedConfig } from './page/protocol.ts'

/** The isolated world's name, as Electron calls it. */
export const ISOLATED_WORLD = 'Electron Isolated Context'
/** Parameters of the function that a preload's text becomes. A sandboxed preload has these and no Buffer worth relying on. */
const PRELOAD_PARAMETERS = 'require, process, exports, module, global, setImmediate, clearImmediate'

const parts = new Map<string, string>()

function part(name: string): string {
  let text = parts.get(name)
  if (text === undefined) {
    const source = readFileSync(new URL(`./page/${name}.ts`, import.meta.url), 'utf8')
    // The page's files import each other by one-line imports only: joined, they need none.
    text = stripTypes(source)
      .replaceAll(/^import .*$/gm, '')
      .replaceAll(/^export (?=const|function|class|async)/gm, '')
    parts.set(name, text)
  }
  return text
}

/** Node calls this an experiment each time it is first used; that is no news for the app's stderr. */
function stripTypes(source: string): string {
  const original: unknown = Reflect.get(process, 'emitWarning')
  Reflect.set(process, 'emitWarning', () => undefined)
  try {
    return stripTypeScriptTypes(source)
  } finally {
    Reflect.set(process, 'emitWarning', original)
  }
}

/** For the page's own world. `prefix` names the events between the worlds and must not be guessable. */
export function mainWorldScript(prefix: string): string {
  return `(() => {${part('bridge')}\n${part('mainWorld')}\nstartMainWorld(${JSON.stringify(prefix)})})()`
}

/** For the isolated world, with the preload's text (null: no preload). */
export function isolatedWorldScript(prefix: string, config: IsolatedConfig, preload: string | null): string {
  const body = ['codec', 'emitter', 'bridge', 'isolatedWorld'].map(part).join('\n')
  // The preload is an argument, outside of the parts' scope: it sees its parameters and the page's globals, nothing of ours.
  const load = preload === null ? 'null' : preloadFunction(preload)
  return `((preload) => {${body}\nstartIsolatedWorld(${JSON.stringify(prefix)}, ${JSON.stringify(config)}, preload)})(${load})`
}

function preloadFunction(text: string): string {
  return `function (${PRELOAD_PARAMETERS}) {${text}\n}`
}

/**
 * Compiles a preload as Electron does before it runs one.
 * @throws SyntaxError for what is not CommonJS: import, export, top-level await.
 */
export function checkPreload(text: string, path: string): Script {
  return new Script(`(${preloadFunction(text)})`, { filename: path })
}
