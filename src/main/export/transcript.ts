// What Markdown and HTML have in common: the turn of each message is at hand, and facts are put into the same words.
import type { FileRecord, FileRecordOf } from '../history/records.ts'

export interface TranscriptMessage {
  readonly message: FileRecordOf<'message'>
  /** Null for a message that no turn made. */
  readonly turn: FileRecordOf<'turn'> | null
}

export interface TranscriptHandlers {
  session(session: FileRecordOf<'session'>): string
  message(message: TranscriptMessage): string
}

/** Feeds records in order. Remembers the turns of one question and its answer, not more. */
export function createTranscript(handlers: TranscriptHandlers): (records: readonly FileRecord[]) => string {
  const turns = new Map<string, FileRecordOf<'turn'>>()

  function one(record: FileRecord): string {
    switch (record.kind) {
      case 'session':
        turns.clear()
        return handlers.session(record)
      case 'turn':
        turns.set(record.id, record)
        for (const old of [...turns.keys()].slice(0, -2)) turns.delete(old)
        return ''
      case 'message':
        return handlers.message({ message: record, turn: record.turnId === null ? null : (turns.get(record.turnId) ?? null) })
      case 'usage':
        return ''
    }
  }
  return (records) => records.map(one).join('')
}

/** `2026-01-31 09:30` where the person is; the file says so once. */
export function localTime(iso: string): string {
  const at = new Date(iso)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** Name and value of what the session tells about its meeting; what is empty is left out. */
export function sessionFacts(session: FileRecordOf<'session'>): readonly (readonly [string, string])[] {
  return [
    ['Client', session.clientName],
    ['Meeting', session.meetingType],
    ['Begun', localTime(session.createdAt)],
    ['Last activity', localTime(session.lastActivityAt)],
    ['Services', session.serviceTypes.join(', ')],
    ['Clouds', session.cloudProviders.join(', ')],
    ['Project', session.projectContext],
    ...Object.entries(session.customFields),
    ['Notes', session.notes]
  ].filter((fact): fact is [string, string] => fact[1] !== '')
}

export function titleOf(session: FileRecordOf<'session'>): string {
  return session.title.trim() === '' ? 'Untitled session' : session.title
}

/** In what way a question or an answer is not simply there; null when it is. */
export function stateWords({ message, turn }: TranscriptMessage): string | null {
  if (message.role === 'user') {
    if (message.delivery?.state === 'failed') return `Not answered: ${message.delivery.error?.message ?? 'it failed.'}`
    return message.delivery?.state === 'cancelled' ? 'Not sent.' : null
  }
  if (turn?.state === 'failed') return `Ended early: ${turn.error?.message ?? 'it failed.'}`
  if (turn?.state === 'cancelled') return 'Stopped before its end.'
  return turn?.finish === 'length' ? 'Cut at the model’s limit of length.' : turn?.finish === 'filtered' ? 'Cut by the model’s filter.' : null
}

/** Who answered; empty when the file does not know. */
export function answeredBy(turn: FileRecordOf<'turn'> | null): string {
  const usage = turn?.usage
  return usage ? `${usage.provider} · ${usage.model}` : ''
}

export const SPEAKERS: Readonly<Record<FileRecordOf<'message'>['role'], string>> = { user: 'Question', assistant: 'Answer', system: 'Note' }
