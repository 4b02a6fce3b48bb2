// How near passages are to a question in meaning, where their words differ. The model starts when it is first needed and rests when
// nobody asks; what it would make late or wrong is left to words.
import { setTimeout as pause } from 'node:timers/promises'
import { languageOf } from './languages.ts'
import { partsOf, questionTexts } from './meaning/parts.ts'
import type { MeaningModel } from './model.ts'
import { START, type Page, type Position, type Unembedded, type Vectors } from './vectors.ts'
import { wordsOf } from './words.ts'

export interface Meaning {
  /**
   * Cosine by passage id (as shelves name them), of the nearest on these shelves. Null where words have to do: the model is not
   * ready, or too slow this time, or does not know the language. Waits for at most 60 ms, and never rejects.
   */
  nearest(question: string, shelves: readonly number[]): Promise<ReadonlyMap<string, number> | null>
  /** Passages may have come: those without a vector get one, by and by. */
  catchUp(): void
  /** Resolves once nothing is left to embed. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** Why words had to do. `cold`: it is starting; `slow`: beyond its time; `language`: one that it does not know. */
export type LeftToWords = 'cold' | 'slow' | 'language' | 'failed'

export interface MeaningOptions {
  readonly model: MeaningModel
  readonly vectors: Vectors
  readonly idleMs?: number
  readonly waitMs?: number
  /** Of its time, what embedding passages may take; the rest is pause. */
  readonly share?: number
  readonly onLeftToWords: (reason: LeftToWords) => void
  /** The model could not start or ended. It is tried again after a while. */
  readonly onFault: (error: unknown) => void
}

const IDLE_MS = 5 * 60_000
/** With the words beside it a turn's context is there within 100 ms. */
const WAIT_MS = 60
const AGAIN_AFTER_MS = 60_000
const NEAREST = 60
/** Vectors that are read from the store, or sent to the thread, at once: half a megabyte, a millisecond. */
const PAGE = 500
const HALF = 0.5
/** Questions that the model thinks about at once: one more would come too late, and make those behind it late too. */
const MOST_ASKED = 2
/** Parts that are embedded together: a question that comes meanwhile waits for no more. */
const AT_ONCE = 2

export function createMeaning(options: MeaningOptions): Meaning {
  const { model, vectors, idleMs = IDLE_MS, waitMs = WAIT_MS, share = HALF, onLeftToWords, onFault } = options
  /** Shelves whose vectors the model holds, with the last of them. */
  const held = new Map<number, number>()
  const abort = new AbortController()
  let waking: Promise<void> | null = null
  let embedding: Promise<void> | null = null
  let isWanted = false
  let idle: NodeJS.Timeout | null = null
  let asked = 0
  let failedAt = Number.NEGATIVE_INFINITY

  const fail = (error: unknown): void => {
    if (abort.signal.aborted) return
    failedAt = performance.now()
    held.clear()
    onFault(error)
  }
  const used = (): void => {
    if (idle !== null) clearTimeout(idle)
    if (abort.signal.aborted) return
    idle = setTimeout(() => {
      if (embedding !== null) return used()
      held.clear()
      model.rest().catch(fail)
    }, idleMs)
    idle.unref()
  }

  /** Brings what came since, or all of it, a page at a time with other work in between. */
  const holdShelf = async (shelf: number): Promise<void> => {
    for (;;) {
      const page = vectors.page(model.version, shelf, held.get(shelf) ?? 0, PAGE)
      if (page.length > 0) model.hold(shelf, page)
      held.set(shelf, page.at(-1)?.id ?? held.get(shelf) ?? 0)
      if (page.length < PAGE) return
      await pause(0, undefined, { signal: abort.signal })
      // It rested meanwhile: from the beginning, when it is asked again.
      if (!held.has(shelf)) return
    }
  }
  const wake = (shelves: readonly number[]): void => {
    if (abort.signal.aborted || performance.now() - failedAt < AGAIN_AFTER_MS) return
    waking ??= (async () => {
      try {
        if (model.state === 'off') held.clear()
        await model.start()
        for (const shelf of shelves) if (!held.has(shelf)) await holdShelf(shelf)
        catchUp()
      } catch (error) {
        fail(error)
      } finally {
        waking = null
      }
    })()
  }
  const ask = async (question: string, shelves: readonly number[]): Promise<ReadonlyMap<string, number>> => {
    const gone = vectors.takeGone()
    if (gone.length > 0) model.drop(gone)
    asked += 1
    const near = await model.nearest(questionTexts(question), shelves, NEAREST).finally(() => (asked -= 1))
    // The store knows whose they are, whatever the thread says.
    return new Map(
      near.flatMap(({ id, similarity }) => {
        const passage = vectors.passageOf(id, shelves)
        return passage === null ? [] : [[passage, similarity] as const]
      })
    )
  }

  const embedOne = async ({ heading, body }: Unembedded): Promise<Uint8Array> => {
    // One in a language that the model does not know still counts as done.
    if (languageOf(wordsOf(body)) !== 'english') return new Uint8Array(0)
    const packed: Uint8Array[] = []
    const parts = partsOf(heading, body)
    for (let from = 0; from < parts.length; from += AT_ONCE) {
      const began = performance.now()
      if (model.state !== 'ready') await model.start()
      used()
      packed.push(await model.embed(parts.slice(from, from + AT_ONCE)))
      await pause((performance.now() - began) * (1 / share - 1), undefined, { signal: abort.signal })
    }
    return Buffer.concat(packed)
  }
  const embedAll = async (): Promise<void> => {
    try {
      for (let position: Position | null = START; position !== null;) {
        const { found, next }: Page = vectors.missing(model.version, position)
        for (const passage of found) {
          const packed = await embedOne(passage)
          abort.signal.throwIfAborted()
          for (const { shelf, id } of await vectors.save(model.version, [{ ...passage, packed }])) {
            if (!held.has(shelf) || model.state !== 'ready') continue
            model.hold(shelf, [{ id, packed }])
            held.set(shelf, id)
          }
        }
        position = next
        await pause(0, undefined, { signal: abort.signal })
      }
    } catch (error) {
      fail(error)
    } finally {
      embedding = null
      if (isWanted) catchUp()
    }
  }
  const catchUp = (): void => {
    if (abort.signal.aborted || performance.now() - failedAt < AGAIN_AFTER_MS) return
    isWanted = embedding !== null
    embedding ??= embedAll()
  }

  return {
    async nearest(question, shelves) {
      const leave = (reason: LeftToWords): null => {
        onLeftToWords(reason)
        return null
      }
      if (abort.signal.aborted) return null
      if (languageOf(wordsOf(question)) !== 'english') return leave('language')
      if (questionTexts(question).length === 0) return null
      used()
      if (model.state !== 'ready' || shelves.some((shelf) => !held.has(shelf))) {
        wake(shelves)
        return leave('cold')
      }
      if (asked >= MOST_ASKED) return leave('slow')
      try {
        const late = new AbortController()
        const tooLate = pause(waitMs, undefined, { signal: late.signal }).then(
          () => null,
          () => null
        )
        const found = await Promise.race([ask(question, shelves), tooLate])
        late.abort()
        return found ?? leave('slow')
      } catch (error) {
        fail(error)
        return leave('failed')
      }
    },
    catchUp,
    async settled() {
      for (let work = waking ?? embedding; work !== null; work = waking ?? embedding) await work
    },
    async stop() {
      abort.abort()
      if (idle !== null) clearTimeout(idle)
      await model.rest()
      await waking
      await embedding
    }
  }
}
