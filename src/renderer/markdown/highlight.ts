// Colours for code, loaded when the first block of a language is shown. Output is plain data, never markup.
import hljs from 'highlight.js/lib/core'
import type { Emitter, LanguageFn } from 'highlight.js'

export type CodePiece = string | { readonly scope: string; readonly children: readonly CodePiece[] }

const loaders = {
  bash: () => import('highlight.js/lib/languages/bash'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  powershell: () => import('highlight.js/lib/languages/powershell'),
  python: () => import('highlight.js/lib/languages/python'),
  sql: () => import('highlight.js/lib/languages/sql'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml')
} satisfies Record<string, () => Promise<{ default: LanguageFn }>>
type Language = keyof typeof loaders

const aliases: Readonly<Record<string, Language>> = {
  sh: 'bash', shell: 'bash', console: 'bash', zsh: 'bash', cs: 'csharp', docker: 'dockerfile', golang: 'go', toml: 'ini', hcl: 'ini', terraform: 'ini', tf: 'ini',
  js: 'javascript', jsx: 'javascript', ps1: 'powershell', py: 'python', ts: 'typescript', tsx: 'typescript', html: 'xml', svg: 'xml', yml: 'yaml'
} // prettier-ignore

/** Longer code is shown plain: colouring it would hold up the window. */
const MAX_LENGTH = 40_000

interface Scope {
  readonly scope: string
  readonly children: CodePiece[]
}

/** highlight.js's emitter port, filled with a tree instead of HTML. */
class TreeEmitter implements Emitter {
  readonly root: Scope = { scope: '', children: [] }
  private stack: Scope[] = [this.root]

  startScope(name: string): void {
    const scope: Scope = { scope: name, children: [] }
    this.stack.at(-1)?.children.push(scope)
    this.stack.push(scope)
  }
  endScope(): void {
    if (this.stack.length > 1) this.stack.pop()
  }
  addText(text: string): void {
    if (text !== '') this.stack.at(-1)?.children.push(text)
  }
  __addSublanguage(emitter: Emitter, name: string): void {
    if (emitter instanceof TreeEmitter)
      this.stack.at(-1)?.children.push({ scope: name === '' ? '' : `language:${name}`, children: emitter.root.children })
  }
  finalize(): void {
    this.stack = [this.root]
  }
  toHTML(): string {
    return ''
  }
}

const highlighter = hljs.newInstance()
highlighter.configure({ __emitter: TreeEmitter })

/** Null when the language is none of ours: the code is then shown plain. */
export function knownLanguage(name: string): Language | null {
  if (Object.hasOwn(loaders, name)) return name as Language
  return aliases[name] ?? null
}

/** Loads the language at its first use. */
export async function highlightCode(language: Language, code: string): Promise<readonly CodePiece[]> {
  if (code.length > MAX_LENGTH) return [code]
  if (highlighter.getLanguage(language) === undefined) {
    const { default: definition } = await loaders[language]()
    highlighter.registerLanguage(language, definition)
  }
  const { _emitter } = highlighter.highlight(code, { language, ignoreIllegals: true })
  return _emitter instanceof TreeEmitter ? _emitter.root.children : [code]
}
