// An estimate as Markdown: the sum first, then the arithmetic, then what it rests on. Pure.
import type { Estimate } from './estimate.ts'
import { formatExact, formatUsd } from './money.ts'
import type { PriceItem } from './priceBook.ts'

export interface EstimateTable {
  /** Blocks, in the order in which a reader wants them. */
  readonly blocks: readonly string[]
  /** The documents behind the prices, in the order of their numbers. */
  readonly sources: readonly PriceItem['source'][]
}

/** `firstNumber`: the citation number of the first source. */
export function estimateTable(estimate: Estimate, firstNumber = 1): EstimateTable {
  const sources: PriceItem['source'][] = []
  const mark = (item: PriceItem): string => {
    let index = sources.findIndex((source) => source.url === item.source.url && source.asOf === item.source.asOf)
    if (index < 0) index = sources.push(item.source) - 1
    return `[${firstNumber + index}]`
  }
  const blocks: string[] = []
  const { lines, total, periodText } = estimate
  const first = lines[0]
  if (total !== null && first !== undefined) {
    const what = lines.length === 1 ? `${label(first.item)}, ${first.item.region}` : `${lines.length} items`
    blocks.push(`**${formatUsd(total)} ${periodText}**: ${what}.`)
  }
  if (lines.length > 0) {
    const rows = lines.map(
      ({ item, arithmetic, cost }) =>
        `| ${cell(label(item))} | ${cell(item.region)} | ${cell(arithmetic)} | ${cost === null ? 'amount needed' : exactly(cost)} | ${item.source.asOf} ${mark(item)} |`
    )
    const sum = total !== null && lines.length > 1 ? [`| **Total** | | | **${exactly(total)}** | |`] : []
    blocks.push([`| Item | Region | Arithmetic | Cost ${periodText} | Price as of |`, '| --- | --- | --- | ---: | --- |', ...rows, ...sum].join('\n'))
    const notes = [...estimate.assumptions, 'List prices in USD, without taxes, discounts and free allowances.']
    blocks.push(notes.map((note) => `- ${note}`).join('\n'))
  }
  if (estimate.missing.length > 0) blocks.push(estimate.missing.map((sentence) => `- Not priced: ${sentence}`).join('\n'))
  return { blocks, sources }
}

/** "Amazon S3" and "S3 Standard storage" make "Amazon S3 Standard storage". */
function label({ service, name }: PriceItem): string {
  const words = service.split(' ')
  const last = words.at(-1) ?? ''
  return name.startsWith(`${last} `) ? [...words.slice(0, -1), name].join(' ') : `${service} ${name}`
}

/** Cents for the eye; all decimals behind them where cents would hide something. */
function exactly(cost: bigint): string {
  const rounded = formatUsd(cost)
  const whole = formatExact(cost)
  const decimals = whole.split('.')[1]?.length ?? 0
  return decimals <= 2 || decimals > 8 || rounded === `$${whole}` ? rounded : `${rounded} ($${whole})`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
}
