// Dates of the knowledge pack and the price books: real calendar days, never in the future.

/**
 * What is wrong with an ISO date, or null.
 * @param today ISO date of the day the check runs
 */
export function realDate(date: string, today: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return `"${date}" is not YYYY-MM-DD`
  const at = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date) return `"${date}" is not a day of the calendar`
  if (date > today) return `"${date}" is in the future`
  return date < '2015-01-01' ? `"${date}" is too old to be of use` : null
}
