// Sessions as one page that needs nothing beside itself: our look, light, dark and on paper; no scripts; every text escaped.
import MarkdownIt from 'markdown-it'
import type { FileRecordOf } from '../history/records.ts'
import type { ExportRenderer } from './renderer.ts'
import { CONTENT_SECURITY_POLICY, STYLESHEET } from './stylesheet.ts'
import { answeredBy, createTranscript, localTime, sessionFacts, SPEAKERS, stateWords, titleOf, type TranscriptMessage } from './transcript.ts'

/** Answers are Markdown. HTML in them stays text; a picture stays its source text, since nothing may be loaded. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false }).disable('image')
const TARGET = /^(?:https?|mailto):/i
markdown.validateLink = (url) => TARGET.test(url.trim())
// A link from a file leaks nothing about it and can't reach back to it.
const openLink = markdown.renderer.rules.link_open
markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
  tokens[index]?.attrSet('rel', 'noopener noreferrer')
  return openLink?.(tokens, index, options, env, self) ?? self.renderToken(tokens, index, options)
}

export function createHtmlRenderer(): ExportRenderer {
  let isOpen = false
  const close = (): string => (isOpen ? '</section>\n' : '')
  const transcript = createTranscript({
    session(session) {
      const before = close()
      isOpen = true
      const facts = sessionFacts(session).map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
      return `${before}<section>\n<h1>${escaped(titleOf(session))}</h1>\n<dl class="facts">${facts.join('')}</dl>\n`
    },
    message: messageHtml
  })
  return {
    begin: () => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(CONTENT_SECURITY_POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Aside</title>
<style>${STYLESHEET}</style>
</head>
<body>
<main>
`,
    page: transcript,
    end: () => `${close()}</main>\n</body>\n</html>\n`
  }
}

function messageHtml(entry: TranscriptMessage): string {
  const { message, turn } = entry
  const isAnswer = message.role === 'assistant'
  const state = stateWords(entry)
  const by = isAnswer ? answeredBy(turn) : ''
  const notes = isAnswer ? (turn?.notices ?? []).map((notice) => `<p class="note">${escaped(notice.text)}</p>`) : []
  const body = isAnswer ? markdown.render(message.text) : `<p>${escaped(message.text)}</p>`
  const time = `<time datetime="${escaped(message.createdAt)}">${localTime(message.createdAt)}</time>`
  const header = `<header><strong>${SPEAKERS[message.role]}</strong>${time}${by === '' ? '' : `<br>${escaped(by)}`}</header>`
  const ending = `${isAnswer ? sources(turn?.citations ?? []) : ''}${state === null ? '' : `<p class="state">${escaped(state)}</p>`}`
  return `<article class="${isAnswer ? 'answer' : message.role === 'user' ? 'question' : 'system'}">${header}<div>${notes.join('')}${body}${ending}</div></article>\n`
}

function sources(citations: FileRecordOf<'turn'>['citations']): string {
  if (citations.length === 0) return ''
  const items = citations.map(({ n, title, source, date, url }) => {
    const name = url !== undefined && TARGET.test(url) ? `<a href="${escaped(url)}" rel="noopener noreferrer">${escaped(title)}</a>` : escaped(title)
    return `<li value="${n}">${[name, escaped(source), escaped(date ?? '')].filter((part) => part !== '').join(', ')}</li>`
  })
  return `<ol class="sources">${items.join('')}</ol>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escaped(text: string): string {
  // NUL can't stand in HTML.
  return text.replaceAll('\0', '\uFFFD').replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? '')
}
