// What the parts of the history's contract share: a fresh history before each test, and short ways to ask it.
import type { History } from '../../src/main/history/history.ts'
import type { Question } from '../../src/shared/turn.ts'
import { newQuestion, type HandClock } from '../fakes/historySamples.ts'

export interface HistoryHarness {
  /** Those of the test that is running. */
  readonly history: History
  readonly clock: HandClock
  readonly never: AbortSignal
  /** Question `n` with message `q<n>`, in session `s1` unless the change says otherwise. */
  accept(n: number, text: string, change?: Partial<Question>, at?: number): ReturnType<History['accept']>
  /** Ids of the messages found. */
  find(text: string, change?: object): Promise<string[]>
  /** A page of session `s1`, three long unless the request says otherwise. */
  pageOf(request: object): Promise<{ ids: string; earlier: boolean; later: boolean }>
  positionOf(id: string): Promise<number>
}

export function historyHarness(current: () => { readonly history: History; readonly clock: HandClock }): HistoryHarness {
  const never = new AbortController().signal
  return {
    never,
    get history() {
      return current().history
    },
    get clock() {
      return current().clock
    },
    accept: (n, text, change = {}, at = current().clock.now()) =>
      current().history.accept({ question: newQuestion(n, text, change), messageId: `q${n}`, at }),
    find: async (text, change = {}) => {
      const { hits } = await current().history.search({ text, limit: 30, ...change }, never)
      return hits.map((hit) => hit.messageId)
    },
    pageOf: async (request) => {
      const page = await current().history.page({ sessionId: 's1', limit: 3, ...request })
      return { ids: page.messages.map((message) => message.id).join(' '), earlier: page.hasEarlier, later: page.hasLater }
    },
    positionOf: async (id) => (await current().history.message(id))?.position ?? -1
  }
}
