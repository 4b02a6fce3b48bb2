// The texts of an export are read as they were meant, whatever is in the messages.
import { readFileSync } from 'node:fs'
import { constants } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import MarkdownIt from 'markdown-it'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileRecord, FileRecordOf } from '../history/records.ts'
import { createCsvRenderer, dollars, textCell } from './csv.ts'
import { createHtmlRenderer } from './html.ts'
import { createMarkdownRenderer, safeMarkdown } from './markdown.ts'
import { exportColours } from './stylesheet.ts'
import { writeWhole } from './wholeFile.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 })

const AT = '2026-01-15T09:00:00.000Z'
const session = (title: string): FileRecordOf<'session'> => ({
  kind: 'session',
  id: 's1',
  title,
  clientName: 'Acme <b>',
  meetingType: '',
  projectContext: '',
  serviceTypes: [],
  cloudProviders: [],
  customFields: { 'Cost *centre*': '<i>4711</i>' },
  notes: '',
  status: 'active',
  pinned: false,
  createdAt: AT,
  updatedAt: AT,
  lastActivityAt: AT,
  expiresAt: null
})
const turn = (change: Partial<FileRecordOf<'turn'>> = {}): FileRecordOf<'turn'> => ({
  kind: 'turn',
  id: 't1',
  state: 'done',
  context: {},
  citations: [],
  notices: [],
  usage: null,
  error: null,
  finish: 'stop',
  lastSeq: 3,
  serviceMessageId: null,
  startedAt: AT,
  firstTextAt: AT,
  endedAt: AT,
  ...change
})
const message = (role: 'user' | 'assistant', text: string): FileRecordOf<'message'> => ({
  kind: 'message',
  id: role,
  turnId: 't1',
  role,
  createdAt: AT,
  quickAction: null,
  delivery: null,
  text
})
const whole = (renderer: ReturnType<typeof createHtmlRenderer>, records: readonly FileRecord[]): string =>
  renderer.begin() + renderer.page(records) + renderer.end()
const exchange = (question: string, answer: string, change?: Partial<FileRecordOf<'turn'>>): FileRecord[] => [
  session('Review'),
  turn(change),
  message('user', question),
  message('assistant', answer)
]
const citations = [
  { n: 1, title: 'VPC *pricing*', source: 'AWS', date: '2026-01-01', url: 'https://example.org/a' },
  { n: 3, title: 'Never named', source: 'Azure', url: 'javascript:alert(1)' }
]

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed()),
  fc
    .array(
      fc.constantFrom(
        '```',
        '~~~~',
        '\n',
        '> ',
        '- ',
        '    ',
        '`',
        '<script>alert(1)</script>',
        '<!--',
        '<pre>',
        '</style>',
        '<?x',
        '<![CDATA[',
        '[a](javascript:x)',
        '![i](http://x/y.png)',
        '\\',
        '[1]',
        '&lt;',
        '| a | b |\n|---|---|',
        'text',
        '"',
        "' onload='x",
        '{{',
        '\0',
        '\t',
        '# h',
        '[r]: data:text/html,x'
      ),
      { maxLength: 14 }
    )
    .map((parts) => parts.join(''))
)

describe('Markdown', () => {
  const reader = new MarkdownIt('commonmark', { html: true })
  const hasHtml = (text: string): boolean =>
    reader.parse(text, {}).some((token) => token.type === 'html_block' || token.children?.some((child) => child.type === 'html_inline') === true)

  it('ends every message where it ends, and lets no HTML act', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (question, answer, title) => {
        const text = whole(createMarkdownRenderer(), [
          { ...session('Review'), title, notes: answer },
          turn({ citations }),
          message('user', question),
          message('assistant', answer),
          message('user', 'The end')
        ])
        expect(hasHtml(text)).toBe(false)
        const tokens = reader.parse(text, {})
        const last = tokens.findLastIndex((token) => token.type === 'heading_open' && token.level === 0)
        expect(tokens[last]?.tag).toBe('h2')
        expect(tokens[last + 1]?.content).toMatch(/^Question · /)
        expect(
          tokens
            .slice(last + 3)
            .map((token) => token.content)
            .join('')
        ).toBe('The end')
      }),
      { numRuns: 400 }
    )
  }, 30_000)
  it('leaves code as it is', () => {
    const code = 'See `<b>` and:\n```html\n<script>\n```\n'
    expect(safeMarkdown(code)).toBe(code)
    expect(safeMarkdown('```\nopen')).toBe('```\nopen\n```')
    expect(safeMarkdown('~~~~\n```\nopen')).toBe('~~~~\n```\nopen\n~~~~')
  })
  it('names sources as footnotes, in the text or behind it', () => {
    const text = whole(createMarkdownRenderer(), exchange('Q', 'A gateway costs [1], not [2].\n```\n[1]\n```', { citations }))
    expect(text).toContain(
      'costs [^1-1], not [2].\n```\n[1]\n```\n\nSources: [^1-3]\n\n[^1-1]: VPC \\*pricing\\*, AWS, 2026-01-01 <https://example.org/a>\n[^1-3]: Never named, Azure\n'
    )
  })
  it('stays quick with forty thousand lines', () => {
    const began = performance.now()
    safeMarkdown('<b>\n```\n'.repeat(20_000))
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})

/** The little of jsdom that is used here; it brings no types. */
interface Page {
  querySelectorAll(
    selector: string
  ): Iterable<{ readonly tagName: string; readonly attributes: Iterable<{ readonly name: string; readonly value: string }> }>
  querySelector(selector: string): { readonly textContent: string; getAttribute(name: string): string | null } | null
}
const jsdom: string = 'jsdom'
const { JSDOM } = (await import(jsdom)) as {
  readonly JSDOM: new () => { readonly window: { readonly DOMParser: new () => { parseFromString(html: string, type: 'text/html'): Page } } }
}
const parser = new new JSDOM().window.DOMParser()
const parsed = (html: string): Page => parser.parseFromString(html, 'text/html')

describe('HTML', () => {
  const elements =
    'A ARTICLE BLOCKQUOTE BODY BR CODE DD DIV DL DT EM H1 H2 H3 H4 H5 H6 HEAD HEADER HR HTML LI MAIN META OL P PRE S SECTION STRONG STYLE TABLE TBODY TD TH THEAD TIME TITLE TR UL'.split(
      ' '
    )

  it('holds no element, attribute or address that a message could have made', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const records: FileRecord[] = [
          { ...session(one), clientName: other, customFields: { [one]: other } },
          turn({
            citations: [{ n: 1, title: one, source: other, date: one, url: other }],
            notices: [{ kind: 'local', text: one }],
            error: { code: 'internal', message: other },
            state: 'failed',
            usage: {
              provider: one,
              model: other,
              inputTokens: 1,
              outputTokens: 1,
              cachedTokens: 0,
              costMicros: 0,
              firstTextMs: 1,
              totalMs: 1,
              failovers: 0
            }
          }),
          message('user', one),
          message('assistant', other)
        ]
        const document = parsed(whole(createHtmlRenderer(), records))
        for (const element of document.querySelectorAll('*')) {
          expect(elements).toContain(element.tagName)
          for (const { name, value } of element.attributes) {
            expect([
              'class',
              'href',
              'rel',
              'datetime',
              'lang',
              'charset',
              'http-equiv',
              'content',
              'name',
              'value',
              'start',
              'style',
              'title'
            ]).toContain(name)
            if (name === 'href') expect(value).toMatch(/^(?:https?|mailto):/i)
            if (name === 'style') expect(value).toMatch(/^text-align:(?:left|right|center)$/)
          }
        }
        expect([...document.querySelectorAll('article')]).toHaveLength(2)
        expect([...document.querySelectorAll('style')]).toHaveLength(1)
        expect(document.querySelector('article.question p')?.textContent).toBe(one.replaceAll('\0', '\uFFFD').replaceAll(/\r\n?/g, '\n'))
      }),
      { numRuns: 60 }
    )
  }, 30_000)
  it('forbids everything but its own stylesheet', () => {
    const document = parsed(whole(createHtmlRenderer(), exchange('Q', '**A**')))
    const policy = document.querySelector('meta[http-equiv]')?.getAttribute('content')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'$/)
    expect(document.querySelector('.answer strong:not(header *)')?.textContent).toBe('A')
  })
  it('has the colours of the windows', () => {
    const tokens = readFileSync('src/renderer/ui/tokens.css', 'utf8')
    const [light = '', dark = ''] = tokens.split(":root[data-theme='dark']")
    for (const [name, value] of Object.entries(exportColours.light)) expect(light).toContain(`--${name}: ${value};`)
    for (const [name, value] of Object.entries(exportColours.dark)) expect(dark).toContain(`--${name}: ${value};`)
  })
})

describe('CSV', () => {
  it('quotes as RFC 4180 says, and guards against formulas', () => {
    expect(['plain', 'a,b', 'say "x"', 'two\nlines', '=1+1', '+49', '-5', '@SUM(A1)', '\tx', '=a,"b"'].map(textCell)).toEqual([
      'plain',
      '"a,b"',
      '"say ""x"""',
      '"two\nlines"',
      "'=1+1",
      "'+49",
      "'-5",
      "'@SUM(A1)",
      "'\tx",
      `"'=a,""b"""`
    ])
  })
  it('has money to the last micro-dollar, and one line for each row', () => {
    expect([0, 1, 999_999, 1_000_000, 9_007_199_254_740_991].map(dollars)).toEqual([
      '0.000000',
      '0.000001',
      '0.999999',
      '1.000000',
      '9007199254.740991'
    ])
    const row: FileRecord = {
      kind: 'usage',
      turnId: 't',
      sessionId: 's',
      sessionTitle: '=x',
      clientName: 'Müller, Söhne',
      provider: 'local',
      model: 'knowledge',
      inputTokens: 1,
      outputTokens: 2,
      cachedTokens: 0,
      costMicros: 321,
      failovers: 0,
      firstTextMs: null,
      totalMs: 1.5,
      errorCode: null,
      at: AT
    }
    const text = whole(createCsvRenderer(), [row])
    expect(text.split('\r\n')).toEqual([
      '\uFEFFtime,client,session,provider,model,input_tokens,output_tokens,cached_tokens,cost_usd,failovers,first_text_ms,total_ms,error,session_id,turn_id',
      `${AT},"Müller, Söhne",'=x,local,knowledge,1,2,0,0.000321,0,,1.5,,s,t`,
      ''
    ])
  })
})

describe('writing a whole file', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aside-whole-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const options = { newId: () => 'id', signal: new AbortController().signal }
  async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Buffer.from(text)
    await Promise.resolve()
  }

  it('replaces what was there only when the new one is whole', async () => {
    const path = join(folder, 'out')
    await writeFile(path, 'old')
    const broken = async function* () {
      yield Buffer.from('half')
      expect(await readFile(path, 'utf8')).toBe('old')
      throw new Error('reading failed')
    }
    await expect(writeWhole(path, broken(), options)).rejects.toThrow(/reading failed/)
    expect([await readdir(folder), await readFile(path, 'utf8')]).toEqual([['out'], 'old'])
    await writeWhole(path, pieces('new ', 'one'), options)
    expect([await readdir(folder), await readFile(path, 'utf8')]).toEqual([['out'], 'new one'])
  })
  it('says that the disk is full, and leaves nothing', async () => {
    // The device that is always full: a real ENOSPC.
    const full = () => open('/dev/full', constants.O_WRONLY)
    await expect(writeWhole(join(folder, 'out'), pieces('x'), { ...options, open: full })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/disk is full.*history is unchanged/) as unknown
    })
    expect(await readdir(folder)).toEqual([])
  })
  it('leaves nothing when it was stopped', async () => {
    const abort = new AbortController()
    const stopping = async function* () {
      yield Buffer.from('x')
      abort.abort()
      yield Buffer.from('y')
      await Promise.resolve()
    }
    await expect(writeWhole(join(folder, 'out'), stopping(), { ...options, signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(await readdir(folder)).toEqual([])
  })
  it('says so when there is a folder of that name', async () => {
    await expect(writeWhole(folder, pieces('x'), options)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
