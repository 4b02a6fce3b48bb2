// PostgreSQL keeps any text but U+0000. One character of those that Unicode never assigns stands in for it, reversibly and one to one,
// so that what was equal stays equal and what was different stays different.

const MARK = '\ufdd0'
const NUL = '\u0000'

/** As PostgreSQL can keep it. Half a surrogate pair, which no UTF-8 has, becomes U+FFFD as everywhere. */
export function toKept(text: string): string {
  if (!text.includes(NUL) && !text.includes(MARK)) return text
  return text.replaceAll(MARK, `${MARK}m`).replaceAll(NUL, `${MARK}0`)
}

/** As JSON in which every text can be kept. */
export function keptJson(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) => (typeof one === 'string' ? toKept(one).toWellFormed() : one))
}

export function fromKept(text: string): string {
  if (!text.includes(MARK)) return text
  return text.replace(/\ufdd0([m0])/g, (_all, which) => (which === 'm' ? MARK : NUL))
}
