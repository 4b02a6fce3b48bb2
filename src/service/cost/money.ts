// Exact decimal arithmetic for prices and quantities: integers of 10⁻¹², never floats. Public price lists go down to
// ten decimals (a GB-second), so nano-USD would already round.
const SCALE = 12
const ONE = 10n ** BigInt(SCALE)

/** A decimal number, exactly: an integer count of 10⁻¹². */
export type Exact = bigint

/** From `12`, `1,234.5`, `0.0000166667`; null when it is not a decimal number that fits exactly. */
export function parseExact(text: string): Exact | null {
  const match = /^(\d{1,18})(?:\.(\d{1,12}))?$/.exec(text.replaceAll(',', ''))
  if (match === null) return null
  return BigInt(match[1] ?? '0') * ONE + BigInt((match[2] ?? '').padEnd(SCALE, '0'))
}

export function exact(integer: number): Exact {
  return BigInt(integer) * ONE
}

/** Rounded half up at the twelfth decimal; exact for every price × quantity of at most six decimals each. */
export function times(a: Exact, b: Exact): Exact {
  return (a * b + ONE / 2n) / ONE
}

export function dividedBy(a: Exact, integer: number): Exact {
  const divisor = BigInt(integer)
  return (a + divisor / 2n) / divisor
}

/** As people write it: no trailing zeros, thousands separated. */
export function formatExact(value: Exact): string {
  const fraction = (value % ONE).toString().padStart(SCALE, '0').replace(/0+$/, '')
  return grouped(value / ONE) + (fraction === '' ? '' : `.${fraction}`)
}

/** A sum of money, rounded half up to cents; below a cent with as many decimals as say something. */
export function formatUsd(value: Exact): string {
  if (value > 0n && value < ONE / 100n) return `$${formatExact(value)}`
  const cents = (value * 100n + ONE / 2n) / ONE
  return `$${grouped(cents / 100n)}.${(cents % 100n).toString().padStart(2, '0')}`
}

function grouped(integer: bigint): string {
  return integer.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}
