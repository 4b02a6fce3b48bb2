// Finds personal data in text by rule: e-mail addresses, phone and card numbers, IBANs, national ids, IP addresses. Numbers
// that have a check digit must pass it, so that prices, versions and resource ids are left alone. Pure and linear in time.

export const personalKinds = ['email', 'phone', 'card', 'iban', 'national-id', 'ip'] as const
export type PersonalKind = (typeof personalKinds)[number]

export interface PersonalDatum {
  readonly kind: PersonalKind
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

interface Rule {
  readonly kind: PersonalKind
  readonly pattern: RegExp
  readonly holds: (match: string, before: string) => boolean
}

const digits = (text: string): string => text.replace(/\D/g, '')

/** ISO/IEC 7812. */
export function passesLuhn(number: string): boolean {
  let sum = 0
  for (const [index, digit] of number.split('').toReversed().entries()) {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** ISO 13616: the remainder of the rearranged number by 97 is 1. */
export function passesIban(text: string): boolean {
  const iban = text.replace(/\s/g, '').toUpperCase()
  if (iban.length < 15 || iban.length > 34) return false
  let remainder = 0
  for (const sign of iban.slice(4) + iban.slice(0, 4)) {
    for (const digit of Number.parseInt(sign, 36).toString()) remainder = (remainder * 10 + Number(digit)) % 97
  }
  return remainder === 1
}

function isCard(match: string): boolean {
  const number = digits(match)
  // Issuers' prefixes: Visa 4, Mastercard 51-55 and 2221-2720, American Express 34/37, Discover 6011/65, Diners 36/38, JCB 35.
  return number.length >= 13 && number.length <= 19 && /^(?:4|5[1-5]|2[2-7]|3[4-8]|6(?:011|5))/.test(number) && passesLuhn(number)
}

/** Words that announce a phone number written without a country code. */
const PHONE_WORDS = /(?:tel|phone|call|mobile|cell|fax|ring|telefon|handy|mobil|portable|téléphone|tél|teléfono|móvil|whatsapp|sms)[^\d\n]{0,20}$/iu

function isPhone(match: string, before: string): boolean {
  const number = digits(match)
  if (number.length < 8 || number.length > 15) return false
  if (/^(?:\+|00)[1-9]/.test(match.replace(/[( ]/g, ''))) return true
  // North American form with its brackets or dashes in the right places.
  if (/^\(\d{3}\) ?\d{3}-\d{4}$/.test(match)) return true
  return PHONE_WORDS.test(before)
}

function isNationalId(match: string, before: string): boolean {
  const compact = match.replace(/[\s.-]/g, '').toUpperCase()
  if (/^\d{3}-\d{2}-\d{4}$/.test(match)) return !/^(?:000|666|9)|-00-|-0000$/.test(match)
  // United Kingdom: National Insurance number.
  if (/^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(compact)) return !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(compact)
  // Spain: DNI and NIE with their check letter.
  if (/^[XYZ\d]\d{7}[A-Z]$/.test(compact)) {
    return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(compact.slice(0, -1).replace(/^[XYZ]/, (sign) => String('XYZ'.indexOf(sign)))) % 23] === compact.at(-1)
  }
  // Italy: codice fiscale.
  if (/^[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$/.test(compact)) return true
  // France: NIR, key is 97 minus the number by 97.
  if (/^[12]\d{14}$/.test(compact)) return 97 - Number(BigInt(compact.slice(0, 13)) % 97n) === Number(compact.slice(13))
  // Germany (tax id) and the Netherlands (BSN) are bare numbers: only when the word is there.
  if (/^\d{11}$/.test(compact)) return /(?:steuer|idnr|tax)[^\d\n]{0,30}$/iu.test(before)
  return (
    /^\d{9}$/.test(compact) &&
    /(?:bsn|burgerservice)[^\d\n]{0,30}$/iu.test(before) &&
    compact.split('').reduce((sum, digit, index) => sum + Number(digit) * (index === 8 ? -1 : 9 - index), 0) % 11 === 0
  )
}

/** Addresses of machines that belong to somebody; loopback, private, documentation ranges and netmasks tell nothing of a person. */
function isPublicAddress(match: string, before: string): boolean {
  const parts = match.split('.').map(Number)
  const [a = 0, b = 0, c = 0] = parts
  if (parts.some((part) => part > 255) || /(?:version|v|release|section|§)\s*$/iu.test(before)) return false
  const isPrivate =
    a === 0 || a === 10 || a === 127 || a >= 224 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)
  const isDocumentation = (a === 192 && b === 0 && c === 2) || (a === 198 && b === 51 && c === 100) || (a === 203 && b === 0 && c === 113)
  return !isPrivate && !isDocumentation
}

const rules: readonly Rule[] = [
  {
    kind: 'email',
    pattern: /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
    holds: () => true
  },
  {
    kind: 'iban',
    pattern: /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Z0-9])/g,
    holds: (match) => passesIban(match)
  },
  {
    kind: 'national-id',
    pattern:
      /(?<![\p{L}\p{N}-])(?:\d{3}-\d{2}-\d{4}|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[XYZ\d]\d{7}-?[A-Z]|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}|\d{2} ?\d{3} ?\d{3} ?\d{3}|\d{9})(?![\p{L}\p{N}-])/gu,
    holds: isNationalId
  },
  { kind: 'card', pattern: /(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-]|[.,]\d)/g, holds: (match) => isCard(match) },
  {
    kind: 'phone',
    pattern: /(?<![\p{L}\p{N}.,/=-])(?:\+|00)?\(?\d{1,4}\)?(?:[ ./-]?\(?\d{1,5}\)?){1,6}(?![\p{L}\p{N}]|[.,]\d)/gu,
    holds: isPhone
  },
  { kind: 'ip', pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d|\/\d)/g, holds: isPublicAddress }
]

/** Where personal data stands, in order, without overlaps: of two that overlap the one of the stricter rule stays. */
export function findPersonalData(text: string): PersonalDatum[] {
  const found: PersonalDatum[] = []
  for (const { kind, pattern, holds } of rules) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index
      const end = start + match[0].length
      if (found.some((other) => start < other.end && other.start < end)) continue
      if (holds(match[0], text.slice(Math.max(0, start - 40), start))) found.push({ kind, start, end })
    }
  }
  return found.sort((a, b) => a.start - b.start)
}

/** The text with each datum replaced by its kind in brackets, such as `[email]`. Idempotent. */
export function scrubPersonalData(text: string): string {
  let scrubbed = ''
  let at = 0
  for (const { kind, start, end } of findPersonalData(text)) {
    scrubbed += `${text.slice(at, start)}[${kind}]`
    at = end
  }
  return scrubbed + text.slice(at)
}
