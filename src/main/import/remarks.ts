// What an import leaves out or changes, counted while the file is read, told in one sentence each.

const SENTENCES = {
  known: (n: number) => `${plural(n, 'session is', 'sessions are')} in the file twice and will be imported once.`,
  branches: (n: number) =>
    `${plural(n, 'conversation has', 'conversations have')} edited questions or regenerated answers: the last version is imported, the others stay in the file.`,
  empty: (n: number) => `${plural(n, 'conversation is', 'conversations are')} empty and will be left out.`,
  unreadable: (n: number) => `${plural(n, 'entry is', 'entries are')} no conversation that Aside can read and will be left out.`,
  media: (n: number) =>
    `${plural(n, 'image, recording or file', 'images, recordings and files')} can't be imported; a note stands in the place of each.`,
  hidden: (n: number) => `${plural(n, 'message', 'messages')} that ChatGPT did not show (instructions, reasoning, tools) will be left out.`,
  cut: (n: number) => `${plural(n, 'message is', 'messages are')} longer than 10,000,000 characters and will be cut there.`,
  longText: (n: number) => `${plural(n, 'message is', 'messages are')} longer than 100,000 characters: search finds the words of that beginning.`,
  undated: (n: number) => `${plural(n, 'message has', 'messages have')} no usable date and will get the date of the message before.`
} as const
export type RemarkKind = keyof typeof SENTENCES

export interface Remarks {
  count(kind: RemarkKind, by?: number): void
  /** Without those that nothing was counted for. */
  sentences(): string[]
}

export function createRemarks(): Remarks {
  const counts = new Map<RemarkKind, number>()
  return {
    count: (kind, by = 1) => void counts.set(kind, (counts.get(kind) ?? 0) + by),
    sentences: () =>
      (Object.keys(SENTENCES) as RemarkKind[]).flatMap((kind) => {
        const count = counts.get(kind) ?? 0
        return count === 0 ? [] : [SENTENCES[kind](count)]
      })
  }
}

function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
