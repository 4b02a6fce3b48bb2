// The flags that both commands share, checked before anything is started.
import { parseArgs } from 'node:util'

export interface Flags<Sabotage extends string> {
  readonly cycles: number
  readonly seed: number
  readonly folder: string | undefined
  readonly sabotage: Sabotage | 'none'
}

/** Ends the process with one sentence when a flag is not what it must be. */
export function readFlags<Sabotage extends string>(cycles: number, sabotages: readonly Sabotage[]): Flags<Sabotage> {
  try {
    const { values } = parseArgs({
      options: { cycles: { type: 'string' }, seed: { type: 'string' }, folder: { type: 'string' }, sabotage: { type: 'string', default: 'none' } }
    })
    const sabotage = ['none' as const, ...sabotages].find((known) => known === values.sabotage)
    if (sabotage === undefined) throw new TypeError(`--sabotage must be one of ${sabotages.join(', ')}`)
    return {
      cycles: values.cycles === undefined ? cycles : whole('--cycles', values.cycles, 1),
      seed: values.seed === undefined ? Date.now() % 1_000_000_000 : whole('--seed', values.seed, 0),
      folder: values.folder,
      sabotage
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}

function whole(name: string, text: string, least: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least)) throw new TypeError(`${name} is “${text}” but must be a whole number from ${least}`)
  return value
}
