// What every reader makes of a document: blocks in the order of reading, and what is to be said about it. Pure.

export type Block =
  /** What follows is on this page, from 1. */
  | { readonly kind: 'page'; readonly number: number }
  /** Level 1 to 6. */
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  /** A paragraph or a list, as Markdown. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }

export interface Reading {
  readonly blocks: readonly Block[]
  /** `YYYY-MM-DD`, where the document says when it was last changed. */
  readonly date: string | null
  /** Sentences for the person whose document it is. */
  readonly remarks: readonly string[]
}

/** Done of total, in whatever the document is made of; total 0: not known. */
export type OnProgress = (done: number, total: number) => void

export const documentKinds = ['markdown', 'html', 'pdf', 'docx', 'csv', 'text'] as const
export type DocumentKind = (typeof documentKinds)[number]

const endings: Readonly<Record<string, DocumentKind>> = {
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  docx: 'docx',
  csv: 'csv',
  tsv: 'csv',
  txt: 'text',
  text: 'text'
}

/** By the ending of its name; null: a kind that can't be read. */
export function kindOf(name: string): DocumentKind | null {
  return endings[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null
}

/** Why a document can't be read, as a sentence for its owner. */
export class UnreadableDocument extends Error {
  override readonly name = 'UnreadableDocument'
}

/** Text that no reader of the page sees, and a model would. */
export const HIDDEN_TEXT = 'Text that a reader can’t see (hidden, white or tiny) was left out.'
