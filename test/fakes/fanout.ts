// Processes that tell each other news, all in one: what one publishes, the others hear within the same tick.
import type { Fanout, Hearing } from '../../src/service/fanout/fanout.ts'

export interface LinkedFanout extends Fanout {
  /** While false, nothing that it publishes gets out. */
  isLinked: boolean
  /** Tells those who listen here that they have missed something. */
  miss(): void
  /** Channels that are listened on. */
  readonly channels: readonly string[]
}

export function linkedFanouts(count: number): readonly LinkedFanout[] {
  const all = Array.from({ length: count }, () => {
    const hearings = new Set<{ readonly channel: string; readonly hearing: Hearing }>()
    const fanout: LinkedFanout & { hear: (channel: string, text: string) => void } = {
      isLinked: true,
      publish(channel, text) {
        if (fanout.isLinked) for (const other of all) if (other !== fanout) other.hear(channel, text)
      },
      subscribe(channel, hearing) {
        const entry = { channel, hearing }
        hearings.add(entry)
        return () => void hearings.delete(entry)
      },
      hear(channel, text) {
        for (const entry of hearings) if (entry.channel === channel) entry.hearing.heard(text)
      },
      miss() {
        for (const { hearing } of hearings) hearing.missed()
      },
      get channels() {
        return [...hearings].map(({ channel }) => channel)
      }
    }
    return fanout
  })
  return all
}
