// Which cloud and which region a question names. Pure.
import type { CloudProvider } from './priceBook.ts'

const providerWords: Readonly<Record<CloudProvider, RegExp>> = {
  aws: /\b(aws|amazon|ec2|s3|ebs|lambda|fargate|eks|rds)\b/i,
  azure: /\b(azure|microsoft|aks|blob storage)\b/i,
  gcp: /\b(gcp|gcs|gke|google|bigquery|cloud run)\b/i
}

/** Clouds that the text names, by their own names or those of a service that only they have. */
export function namedProviders(text: string): CloudProvider[] {
  return text === '' ? [] : (Object.keys(providerWords) as CloudProvider[]).filter((provider) => providerWords[provider].test(text))
}

/** Cities and countries that people say instead of a region's code. Sources: the vendors' region lists. */
const spoken: readonly { readonly name: RegExp; readonly codes: readonly string[] }[] = [
  { name: /\b(n(orth(ern)?)?\.? )?virginia\b/i, codes: ['us-east-1', 'eastus', 'eastus2', 'us-east4'] },
  { name: /\bohio\b/i, codes: ['us-east-2', 'us-east5'] },
  { name: /\boregon\b/i, codes: ['us-west-2', 'us-west1', 'westus2'] },
  { name: /\biowa\b/i, codes: ['us-central1', 'centralus'] },
  { name: /\bfrankfurt\b/i, codes: ['eu-central-1', 'europe-west3', 'germanywestcentral'] },
  { name: /\b(ireland|dublin)\b/i, codes: ['eu-west-1', 'northeurope'] },
  { name: /\blondon\b/i, codes: ['eu-west-2', 'europe-west2', 'uksouth'] },
  { name: /\bparis\b/i, codes: ['eu-west-3', 'europe-west9', 'francecentral'] },
  { name: /\b(netherlands|amsterdam|eemshaven)\b/i, codes: ['europe-west4', 'westeurope'] },
  { name: /\bbelgium\b/i, codes: ['europe-west1'] },
  { name: /\bzurich\b/i, codes: ['eu-central-2', 'europe-west6', 'switzerlandnorth'] },
  { name: /\bsingapore\b/i, codes: ['ap-southeast-1', 'asia-southeast1', 'southeastasia'] },
  { name: /\bsydney\b/i, codes: ['ap-southeast-2', 'australia-southeast1', 'australiaeast'] },
  { name: /\btokyo\b/i, codes: ['ap-northeast-1', 'asia-northeast1', 'japaneast'] },
  { name: /\bmumbai\b/i, codes: ['ap-south-1', 'asia-south1', 'centralindia'] },
  { name: /\bs[aã]o paulo\b/i, codes: ['sa-east-1', 'southamerica-east1', 'brazilsouth'] }
]
const codePattern =
  /\b(?:us-gov|us|eu|ap|sa|ca|me|af|il|mx|cn)-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-\d\b|\b(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-(?:north|south|east|west|central|northeast|southeast)\d{1,2}\b/gi
/** Azure's names are words run together; people also write them apart. */
const azurePattern =
  /\b(?:(?:north|south|east|west|central|south ?central|north ?central|west ?central) ?us ?[23]?|(?:north|west) ?europe|uk ?(?:south|west)|germany ?west ?central|france ?central|switzerland ?north|(?:south ?east|east) ?asia|japan ?(?:east|west)|australia ?(?:east|southeast)|brazil ?south|central ?india|canada ?(?:central|east)|sweden ?central|norway ?east)\b|\beast ?us ?2?\b|\bwest ?us ?[23]?\b/gi

export interface NamedRegion {
  /** Codes that it can mean, one per cloud. */
  readonly codes: readonly string[]
  /** As it was written. */
  readonly text: string
  readonly start: number
  readonly end: number
}

export function namedRegions(text: string): NamedRegion[] {
  const found: NamedRegion[] = []
  const take = (match: RegExpMatchArray, codes: readonly string[]): void => {
    const start = match.index ?? 0
    const end = start + match[0].length
    if (!found.some((other) => start < other.end && other.start < end)) found.push({ codes, text: match[0], start, end })
  }
  for (const match of text.matchAll(codePattern)) take(match, [match[0].toLowerCase()])
  for (const match of text.matchAll(azurePattern)) take(match, [match[0].toLowerCase().replaceAll(' ', '')])
  for (const { name, codes } of spoken) {
    const match = name.exec(text)
    if (match !== null) take(match, codes)
  }
  return found.sort((a, b) => a.start - b.start)
}
