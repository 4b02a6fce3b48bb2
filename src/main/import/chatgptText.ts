// The words of one message of a ChatGPT export, by its kind of content. Pure.
import { cleanText } from '../../shared/kit/text.ts'
import type { Remarks } from './remarks.ts'

/** As the export writes it; everything may be missing or of another type. */
export interface ChatgptContent {
  readonly content_type: string
  readonly parts: readonly unknown[]
  readonly text: string
  readonly language: string
  readonly result: string
  readonly title: string
  readonly url: string
}

/** A longer message is cut: nobody reads it, and a window could not show it. UTF-16 code units. */
export const MAX_TEXT = 10_000_000

/** Marks of sources that only ChatGPT's own page can resolve, between private-use characters. */
const SOURCE_MARKS = /\uE200[^\uE201]{0,500}\uE201/g
/** Kinds that are ChatGPT's own notes: instructions, memory, reasoning, what a tool looked at. */
const UNSHOWN = new Set([
  'user_editable_context',
  'model_editable_context',
  'thoughts',
  'reasoning_recap',
  'tether_browsing_display',
  'tether_browsing_code',
  'system_error',
  'app_pairing_content'
])

const MEDIA: Readonly<Record<string, string>> = {
  image_asset_pointer: 'Image',
  audio_asset_pointer: 'Recording',
  real_time_user_audio_video_asset_pointer: 'Recording',
  video_container_asset_pointer: 'Video'
}

/** The text to show, empty for nothing; null for what ChatGPT does not show either. */
export function chatgptText(content: ChatgptContent, attachments: readonly string[], remarks: Remarks): string | null {
  if (UNSHOWN.has(content.content_type)) return null
  const notes = attachments.map((name) => note('File', name, remarks))
  return limited([...notes, bodyOf(content, remarks)].filter((part) => part !== '').join('\n\n'), remarks)
}

function bodyOf(content: ChatgptContent, remarks: Remarks): string {
  switch (content.content_type) {
    case 'code':
      return fenced(content.text, content.language === 'unknown' ? '' : content.language)
    case 'execution_output':
      return fenced(content.text, '')
    case 'tether_quote':
      return quoted(content)
    default:
      // `text`, `multimodal_text`, and what comes after this was written: what is readable of its parts.
      return [...content.parts.map((part) => partText(part, remarks)), content.parts.length === 0 ? content.text : '']
        .filter((part) => part !== '')
        .join('\n\n')
  }
}

function partText(part: unknown, remarks: Remarks): string {
  if (typeof part === 'string') return plain(part)
  if (typeof part !== 'object' || part === null) return ''
  const { content_type: type, text } = part as { readonly content_type?: unknown; readonly text?: unknown }
  // `audio_transcription` and the like carry the words beside the recording.
  if (typeof text === 'string' && text !== '') return plain(text)
  return note(MEDIA[String(type)] ?? 'Attachment', '', remarks)
}

function note(kind: string, name: string, remarks: Remarks): string {
  remarks.count('media')
  return name === '' ? `[${kind}: not imported]` : `[${kind}: ${cleanText(name).replaceAll('\n', ' ').slice(0, 200)}, not imported]`
}

function plain(text: string): string {
  return cleanText(text.replace(SOURCE_MARKS, '')).trim()
}

/** A fence that is longer than any in the text can't be ended by it. */
export function fenced(text: string, language: string): string {
  const body = cleanText(text).trim()
  if (body === '') return ''
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${/^[\w+#.-]{1,30}$/.test(language) ? language : ''}\n${body}\n${fence}`
}

function quoted({ title, url, text }: ChatgptContent): string {
  const body = plain(text)
  if (body === '') return ''
  const source = [plain(title), plain(url)].filter((part) => part !== '').join(', ')
  return [...body.split('\n'), ...(source === '' ? [] : ['', source])].map((line) => `> ${line}`.trimEnd()).join('\n')
}

function limited(text: string, remarks: Remarks): string {
  if (text.length <= MAX_TEXT) return text
  remarks.count('cut')
  return `${text.slice(0, MAX_TEXT).toWellFormed()}\n\n[Cut here when it was imported: the message was longer.]`
}
