// A conversation of a ChatGPT data export as records of ours. The export has no published schema; what is read here is what
// exports held from 2023 to 2026: a tree of nodes of which `current_node` names the end of the branch that was shown.
import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'
import { cleanText } from '../../shared/kit/text.ts'
import type { HistoryRecord, RecordOf } from '../history/records.ts'
import { chatgptText, type ChatgptContent } from './chatgptText.ts'
import type { Remarks } from './remarks.ts'

/** Ids of imported sessions and messages are made from the source's, so that importing twice adds nothing. Fixed for good. */
const CHATGPT = '8f6f2c52-0c0a-4a6b-9a57-6f1d4a5b7f10'
/** 9999-12-31T23:59:59.999Z; a date beyond is a mistake of the source. */
const LATEST = 253_402_300_799_999
const FROM_WORDS = 60

const lenient = <T extends z.ZodType>(schema: T, otherwise: z.output<T>) =>
  schema
    .nullish()
    .catch(null)
    .transform((value) => value ?? otherwise)
const word = lenient(z.string(), '')
const idText = z
  .union([z.string(), z.number()])
  .nullish()
  .catch(null)
  .transform((value) => (value === null || value === undefined ? '' : String(value)))
const seconds = z
  .number()
  .nullish()
  .catch(null)
  .transform((value) => value ?? null)

const conversationSchema = z.object({
  id: idText,
  conversation_id: idText,
  title: word,
  create_time: seconds,
  update_time: seconds,
  current_node: idText,
  is_archived: lenient(z.boolean(), false),
  gizmo_id: word,
  default_model_slug: word,
  mapping: z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
})
const nodeSchema = z.object({ parent: idText, children: lenient(z.array(z.unknown()), []), message: z.unknown() })
const messageSchema = z.object({
  author: z.object({ role: word }),
  create_time: seconds,
  content: z.object({
    content_type: word,
    parts: lenient(z.array(z.unknown()), []),
    text: word,
    language: word,
    result: word,
    title: word,
    url: word
  }),
  metadata: z
    .object({
      is_visually_hidden_from_conversation: lenient(z.boolean(), false),
      is_user_system_message: lenient(z.boolean(), false),
      model_slug: word,
      attachments: lenient(z.array(z.object({ name: word }).catch({ name: '' })), [])
    })
    .catch({ is_visually_hidden_from_conversation: false, is_user_system_message: false, model_slug: '', attachments: [] })
})
type Conversation = z.output<typeof conversationSchema>

interface Shown {
  readonly nodeId: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  readonly at: number
  readonly model: string
}

/** Null when it is none, or nothing was said in it; the remarks say so. */
export function chatgptConversation(value: unknown, remarks: Remarks): HistoryRecord[] | null {
  const parsed = conversationSchema.safeParse(value)
  if (!parsed.success) {
    remarks.count('unreadable')
    return null
  }
  const conversation = parsed.data
  const shown = shownMessages(conversation, remarks)
  const [first] = shown
  if (first === undefined) {
    remarks.count('empty')
    return null
  }
  const identity = conversation.conversation_id || conversation.id || `${conversation.title} ${conversation.create_time} ${first.nodeId}`
  const sessionId = uuidv5(identity.toWellFormed(), CHATGPT)
  return [
    sessionRecord(conversation, sessionId, shown),
    ...shown.flatMap((message, index) => messageRecords(message, sessionId, shown[index - 1], shown[index + 1]))
  ]
}

/** From the root to the node that was shown last. A tree that bites its tail ends where it does. */
function branchOf({ mapping, current_node: current }: Conversation, nodes: ReadonlyMap<string, z.output<typeof nodeSchema>>): string[] {
  const path: string[] = []
  const seen = new Set<string>()
  let id = nodes.has(current) ? current : (Object.keys(mapping).findLast((one) => nodes.get(one)?.children.length === 0) ?? '')
  while (!seen.has(id)) {
    const node = nodes.get(id)
    if (node === undefined) break
    seen.add(id)
    path.push(id)
    id = node.parent
  }
  return path.toReversed()
}

function shownMessages(conversation: Conversation, remarks: Remarks): Shown[] {
  const nodes = new Map(
    Object.entries(conversation.mapping).flatMap(([id, node]) => {
      const parsed = nodeSchema.safeParse(node)
      return parsed.success ? [[id, parsed.data] as const] : []
    })
  )
  const shown: Shown[] = []
  let at = timeOf(conversation.create_time) ?? timeOf(conversation.update_time) ?? 0
  for (const id of branchOf(conversation, nodes)) {
    const message = nodes.get(id)?.message
    // Every tree has a root without a message.
    if (message === null || message === undefined) continue
    const parsed = messageSchema.safeParse(message)
    if (!parsed.success) {
      remarks.count('unreadable')
      continue
    }
    const { author, content, metadata, create_time: created } = parsed.data
    const text = isHidden(author.role, metadata)
      ? null
      : chatgptText(
          content as ChatgptContent,
          metadata.attachments.map(({ name }) => name),
          remarks
        )
    if (text === null) remarks.count('hidden')
    if (text === null || text === '') continue
    const time = timeOf(created)
    if (time === null) remarks.count('undated')
    at = time ?? at
    shown.push({ nodeId: id, role: author.role === 'user' ? 'user' : 'assistant', text, at, model: metadata.model_slug })
  }
  // A second child is another version of a question or an answer.
  if ([...nodes.values()].some(({ children }) => children.length > 1)) remarks.count('branches')
  return shown
}

function isHidden(role: string, metadata: z.output<typeof messageSchema>['metadata']): boolean {
  return (
    (role !== 'user' && role !== 'assistant' && role !== 'tool') || metadata.is_visually_hidden_from_conversation || metadata.is_user_system_message
  )
}

/** Seconds since 1970, with a fraction, as Unix ms; null where there is none or it can't be. */
function timeOf(seconds: number | null): number | null {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return null
  const at = Math.round(seconds * 1_000)
  return at > LATEST ? null : at
}

function sessionRecord(conversation: Conversation, id: string, shown: readonly Shown[]): RecordOf<'session'> {
  const { gizmo_id: gpt } = conversation
  const times = shown.map(({ at }) => at)
  const createdAt = timeOf(conversation.create_time) ?? times[0] ?? 0
  const lastActivityAt = times.reduce((last, at) => Math.max(last, at), createdAt)
  const models = [...new Set(shown.map(({ model }) => model).filter((model) => model !== ''))]
  return {
    kind: 'session',
    id,
    title: titleOf(conversation.title, shown),
    clientName: '',
    meetingType: '',
    projectContext: '',
    serviceTypes: [],
    cloudProviders: [],
    customFields: {
      'Imported from': 'ChatGPT',
      ...(models.length === 0 ? {} : { Models: oneLine(models.join(', ')).slice(0, 1_000) }),
      ...(gpt === '' ? {} : { 'Custom GPT': oneLine(gpt).slice(0, 1_000) })
    },
    notes: '',
    status: conversation.is_archived ? 'archived' : 'active',
    pinned: false,
    createdAt,
    updatedAt: timeOf(conversation.update_time) ?? lastActivityAt,
    lastActivityAt,
    expiresAt: null
  }
}

function oneLine(text: string): string {
  return cleanText(text).replaceAll(/\s+/g, ' ').trim()
}

function titleOf(title: string, shown: readonly Shown[]): string {
  const given = oneLine(title).slice(0, 200).toWellFormed()
  if (given !== '') return given
  const words = oneLine((shown.find(({ role }) => role === 'user') ?? shown[0])?.text.slice(0, 1_000) ?? '')
  return words.length > FROM_WORDS ? `${words.slice(0, FROM_WORDS).toWellFormed().trimEnd()}…` : words || 'ChatGPT conversation'
}

/** A question and the answer behind it are one turn; every further answer is one of its own. */
function messageRecords(message: Shown, session: string, before: Shown | undefined, next: Shown | undefined): HistoryRecord[] {
  const { role, nodeId } = message
  const isPaired = role === 'assistant' && before?.role === 'user'
  const turnId = uuidv5(`turn ${isPaired ? before.nodeId : nodeId}`.toWellFormed(), session)
  const answer = role === 'assistant' ? message : next?.role === 'assistant' ? next : null
  const record: RecordOf<'message'> = {
    kind: 'message',
    id: uuidv5(`message ${nodeId}`.toWellFormed(), session),
    turnId,
    role,
    createdAt: message.at,
    quickAction: null,
    delivery: null,
    text: message.text
  }
  return isPaired ? [record] : [turnRecord(turnId, message.at, answer), record]
}

function turnRecord(id: string, startedAt: number, answer: Shown | null): RecordOf<'turn'> {
  const by = answer === null || answer.model === '' ? 'ChatGPT' : `${oneLine(answer.model).slice(0, 100)} in ChatGPT`
  return {
    kind: 'turn',
    id,
    state: 'done',
    context: {},
    citations: [],
    // What it used and cost is not in the export, so there is no usage: no figure that was not measured.
    notices: answer === null ? [] : [{ kind: 'imported', text: `Answered by ${by}.` }],
    usage: null,
    error: null,
    finish: answer === null ? null : 'stop',
    lastSeq: 0,
    serviceMessageId: null,
    startedAt,
    firstTextAt: null,
    endedAt: answer?.at ?? startedAt
  }
}
