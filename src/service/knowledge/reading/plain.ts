// Plain text: paragraphs are what empty lines part. Pure.
import { decode } from './decode.ts'
import type { Block, Reading } from './reading.ts'

export function readPlain(bytes: Uint8Array): Reading {
  return { blocks: paragraphs(decode(bytes)), date: null, remarks: [] }
}

export function paragraphs(text: string): Block[] {
  return text
    .split(/\n[ \t]*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ kind: 'text', text: part }))
}
