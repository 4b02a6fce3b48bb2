// Reads electron.d.ts and lists each interface's members and events, so that the stand-in can tell "Electron has no such thing"
// from "Electron has it, the stand-in does not". Run it after each change of the electron version.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const INTERFACES = [
  'App',
  'AutoUpdater',
  'BaseWindow',
  'BrowserWindow',
  'Clipboard',
  'CommandLine',
  'CrashReporter',
  'DesktopCapturer',
  'Dialog',
  'Dock',
  'GlobalShortcut',
  'IpcMain',
  'Menu',
  'MenuItem',
  'NativeImage',
  'NativeTheme',
  'Net',
  'Notification',
  'PowerMonitor',
  'PowerSaveBlocker',
  'Protocol',
  'SafeStorage',
  'Screen',
  'Session',
  'Shell',
  'SystemPreferences',
  'Tray',
  'UtilityProcess',
  'WebContents',
  'WebFrameMain',
  'WebRequest'
] as const

const EMITTER_METHODS = new Set(['on', 'off', 'once', 'addListener', 'removeListener'])
const OUTPUT = new URL('./apiNames.gen.ts', import.meta.url)

interface Entry {
  parent: string | undefined
  members: Set<string>
  events: Set<string>
}

function parentOf(node: ts.InterfaceDeclaration | ts.ClassDeclaration): string | undefined {
  const type = node.heritageClauses?.find((clause) => clause.token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
  return type?.expression.getText().split('.').pop()
}

function addMember(entry: Entry, member: ts.TypeElement | ts.ClassElement): void {
  const name = member.name?.getText()
  if (!name) return
  if (!EMITTER_METHODS.has(name)) {
    entry.members.add(name)
    return
  }
  const parameter = (ts.isMethodSignature(member) || ts.isMethodDeclaration(member)) && member.parameters[0]?.type
  if (parameter && ts.isLiteralTypeNode(parameter) && ts.isStringLiteral(parameter.literal)) entry.events.add(parameter.literal.text)
}

function collect(source: ts.SourceFile): Map<string, Entry> {
  const found = new Map<string, Entry>()
  const visit = (node: ts.Node): void => {
    if ((ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name) {
      const name = node.name.text
      const entry = found.get(name) ?? { parent: parentOf(node), members: new Set<string>(), events: new Set<string>() }
      for (const member of node.members) addMember(entry, member)
      found.set(name, entry)
    } else {
      ts.forEachChild(node, visit)
    }
  }
  visit(source)
  return found
}

/** Words in lines of at most 140 characters. */
function wrapped(words: Iterable<string>): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 140) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => `      ${line}\n`).join('')
}

/** The text of apiNames.gen.ts for the electron that is installed. */
export function generateApiNames(): string {
  const require = createRequire(import.meta.url)
  const { version } = require('electron/package.json') as { version: string }
  const text = readFileSync(require.resolve('electron/electron.d.ts'), 'utf8')
  const found = collect(ts.createSourceFile('electron.d.ts', text, ts.ScriptTarget.Latest, true))
  const entries = INTERFACES.map((name) => {
    const entry = found.get(name)
    if (!entry) throw new Error(`electron.d.ts has no interface ${name}`)
    const parent = INTERFACES.some((known) => known === entry.parent) ? `'${entry.parent}'` : 'null'
    return `  ${name}: {\n    parent: ${parent},\n    members: \`\n${wrapped(entry.members)}    \`,\n    events: \`\n${wrapped(entry.events)}    \`\n  }`
  })
  return `// Generated from electron ${version} by generateApiNames.ts. Do not edit.\n\nexport const apiNames = {\n${entries.join(',\n')}\n} as const\n`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(OUTPUT, generateApiNames())
