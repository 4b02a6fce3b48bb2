// Durations as people write them in settings and on the command line: `30s`, `5m`, `300`.
const units = { '': 1_000, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A year: longer ones are taken for a mistake. */
export const longestDurationMs = 366 * units.d

/** Milliseconds, or null when it is not a duration. A bare number counts seconds. */
export function durationMs(text: string): number | null {
  const match = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text.trim())
  return match === null ? null : Number(match[1]) * units[(match[2] ?? '') as keyof typeof units]
}
