// Keeps the library like its folder: at the start, every minute, and when somebody asks for it.
import type { Library, RefreshReport } from './library.ts'

export interface RefreshingOptions {
  readonly everyMs?: number
  /** What could not be read is told once as long as it stays the same. */
  readonly onReport: (report: RefreshReport) => void
  readonly onFault: (error: unknown) => void
}

export interface Refreshing {
  /** Begins, unless it is under way: then once more afterwards. */
  now(): void
  /** Ends what is under way. */
  stop(): Promise<void>
}

const EVERY_MS = 60_000

export function startRefreshing(library: Pick<Library, 'refresh'>, { everyMs = EVERY_MS, onReport, onFault }: RefreshingOptions): Refreshing {
  const abort = new AbortController()
  let running: Promise<void> | null = null
  let isWanted = false
  let told = ''

  const run = async (): Promise<void> => {
    try {
      const report = await library.refresh(abort.signal)
      const problems = report.problems.join('\n')
      const isNews = report.added + report.changed + report.removed > 0 || problems !== told
      told = problems
      if (isNews) onReport(report)
    } catch (error) {
      const message = String(error)
      if (!abort.signal.aborted && message !== told) onFault(error)
      told = message
    } finally {
      running = null
      if (isWanted && !abort.signal.aborted) now()
    }
  }
  const now = (): void => {
    isWanted = running !== null
    if (running === null && !abort.signal.aborted) running = run()
  }
  const timer = setInterval(() => {
    if (running === null) now()
  }, everyMs)
  now()
  return {
    now,
    async stop() {
      clearInterval(timer)
      abort.abort()
      await running
    }
  }
}
