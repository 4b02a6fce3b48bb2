// From a question to what is searched: words that carry meaning, each with the other names of the same thing. Pure.
import { languageOf, smallWords } from './languages.ts'

/** Says little about what is asked, however rare it is in the articles. */
const stopWords = new Set(
  `a about above actually after again all also am an and another any anybody anyone anything are around as ask asked asks at away
  back be became because been before being below best better between big both briefly but by can cannot choose client clients
  come consider could customer customers did do does doing don done down during each easily either else enough etc even ever every
  everything example explain few first for from further general generally get gets getting give given go goes going good got great had has
  have having he help her here him his hold how however i idea if important in instead into is it its just keep key kind know known last
  least less let like likely little long look lot made main make makes many may me mean means might more most much must my need
  needs never new no not now of off often ok okay on once one only option options or order other our out over own part people
  per please point pros cons possible probably put question quick quickly quite rather really recommend recommended right said same
  say says see seem seen several shall she should show side simple simply since so some somebody something soon still such
  suggest sure take talk tell than that the their them then there these they thing things think this those through thus to today together
  told too toward try two typical typically under understand until up upon us use used useful user uses using usual usually
  very versus via vs want wants was way ways we well went were what when where whether which while who whole whom whose why will with within
  without won work works worth would yes yet you your
  across actually amount arrive begin bit bigger biggest board bring brings certain cheapest compared comparison describe difference
  different differ found happen happens hour hours long lots mess nobody number opens pick position provide really reason safe safest
  second sense somewhere start starting step sure today tomorrow yesterday week weeks whatever won't word words year years day days
  month months minute minutes they're we're what's isn't doesn't don't can't actually exactly roughly quickly fast everyone`.split(/\s+/)
)

/** Names of the same thing. A group is searched as one, so that "object storage" and "S3" are not two questions. */
const sameThing: readonly (readonly string[])[] = [
  ['s3', 'simple storage service'],
  ['ec2', 'elastic compute cloud'],
  ['ebs', 'elastic block store'],
  ['efs', 'elastic file system'],
  ['rds', 'relational database service'],
  ['ecs', 'elastic container service'],
  ['eks', 'elastic kubernetes service'],
  ['aks', 'azure kubernetes service'],
  ['gke', 'google kubernetes engine'],
  ['kubernetes', 'k8s'],
  ['sqs', 'simple queue service'],
  ['sns', 'simple notification service'],
  ['vpc', 'virtual private cloud'],
  ['vnet', 'virtual network'],
  ['vm', 'vms', 'virtual machine', 'virtual machines'],
  ['gce', 'compute engine'],
  ['gcs', 'cloud storage'],
  ['gcp', 'google cloud', 'google'],
  ['aws', 'amazon', 'amazon web services'],
  ['azure', 'microsoft'],
  ['entra', 'azure ad', 'azure active directory', 'entra id'],
  ['iam', 'identity and access management'],
  ['sso', 'single sign on', 'identity center'],
  ['mfa', 'multi factor authentication'],
  ['kms', 'key management service', 'key management'],
  ['waf', 'web application firewall'],
  ['cdn', 'content delivery', 'cloudfront', 'front door', 'cloud cdn'],
  ['alb', 'application load balancer'],
  ['nlb', 'network load balancer'],
  ['load balancer', 'load balancing', 'load balancers'],
  ['dns', 'route 53', 'cloud dns'],
  ['dr', 'disaster recovery'],
  ['rto', 'recovery time objective'],
  ['rpo', 'recovery point objective'],
  ['ha', 'high availability', 'highly available'],
  ['az', 'azs', 'availability zone', 'availability zones'],
  ['ri', 'ris', 'reserved instance', 'reserved instances', 'reservation', 'reservations'],
  ['cud', 'cuds', 'committed use discount', 'committed use discounts', 'committed use'],
  ['savings plan', 'savings plans'],
  ['egress', 'data transfer out', 'outbound data transfer', 'outbound traffic'],
  ['serverless function', 'serverless functions', 'faas', 'lambda', 'azure functions', 'cloud functions', 'cloud run functions'],
  ['nosql', 'document database', 'key value'],
  ['postgres', 'postgresql'],
  ['db', 'database', 'databases'],
  ['dwh', 'data warehouse', 'data warehousing', 'warehouse'],
  ['ml', 'machine learning'],
  ['ai', 'artificial intelligence'],
  ['llm', 'llms', 'large language model', 'foundation model', 'generative ai', 'genai'],
  ['ci cd', 'cicd', 'continuous delivery'],
  ['iac', 'infrastructure as code', 'terraform'],
  ['on prem', 'on premises', 'on premise', 'onprem', 'data center', 'datacenter', 'data centre'],
  ['lift and shift', 'rehost', 'rehosting'],
  ['dms', 'database migration service'],
  ['mq', 'message queue', 'queue', 'queues'],
  ['pubsub', 'pub sub'],
  ['siem', 'security information and event management'],
  ['zero trust', 'zerotrust', 'beyondcorp'],
  ['vpn', 'virtual private network'],
  ['expressroute', 'express route'],
  ['hpa', 'autoscaling', 'auto scaling', 'autoscale', 'scale out', 'elasticity'],
  ['tco', 'total cost of ownership'],
  ['gdpr', 'data protection', 'data residency'],
  ['hipaa', 'health data'],
  ['pci', 'pci dss', 'payment card']
]

export interface Concept {
  /** Lower-case words or word groups; any of them will do. The first is how it was said. */
  readonly forms: readonly string[]
}

const groupOf = new Map<string, readonly string[]>()
/** Words of the longest form that begins with this one: most words of a text begin none, and need not be put together. */
const longestFrom = new Map<string, number>()
for (const group of sameThing) {
  for (const form of group) {
    const [first = '', ...more] = form.split(' ')
    groupOf.set(form, group)
    longestFrom.set(first, Math.max(1 + more.length, longestFrom.get(first) ?? 0))
  }
}

// oxlint-disable-next-line no-control-regex -- all of ASCII is meant
const ASCII = /^[\0-\x7F]*$/

/** Lower-case words: letters and digits, as FTS5's unicode61 splits them. */
export function wordsOf(text: string): string[] {
  // The same for what most questions are made of, at a third of the cost.
  if (ASCII.test(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return (
    text
      .normalize('NFD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** More words than this don't make a question clearer. */
const MOST_CONCEPTS = 24
/** Characters in which identifiers are looked for. */
const MOST_SCANNED = 4_000

/** Numbers of contracts and articles, standards, part names: letters and digits in groups ("NWF-EDG-7", "2022/2554"). */
const IDENTIFIER = /[\p{L}\p{N}]+(?:[-/._][\p{L}\p{N}]+)+/gu
const LONGEST_IDENTIFIER = 60

/** The words of each identifier. "5-minute" and "multi-AZ" are none: those say something by their words. */
function identifiersOf(text: string): string[][] {
  if (!/[-/._]/.test(text)) return []
  return [...text.slice(0, MOST_SCANNED).matchAll(IDENTIFIER)].flatMap(([said]) => {
    const groups = wordsOf(said)
    const isOne = /\p{N}/u.test(said) && (/\p{Lu}/u.test(said) || !/\p{L}/u.test(said) || groups.length > 2) && !/^[\d.]+$/.test(said)
    return isOne && said.length <= LONGEST_IDENTIFIER ? [groups] : []
  })
}

/** A question is read for what it points at, then looked up by words, then by meaning: one after the other, and the same each time. */
let latest: { readonly text: string; readonly concepts: readonly Concept[] } = { text: '', concepts: [] }

/** What the text is about, each thing once, in the order of the text. */
export function conceptsOf(text: string): readonly Concept[] {
  if (latest.text !== text) latest = { text, concepts: readConcepts(text) }
  return latest.concepts
}

function readConcepts(text: string): Concept[] {
  const words = wordsOf(text)
  const identifiers = identifiersOf(text)
  const small = smallWords(languageOf(words))
  const concepts = new Map<string, Concept>()
  for (let index = 0; index < words.length && concepts.size < MOST_CONCEPTS;) {
    const identifier =
      identifiers.length === 0 ? undefined : identifiers.find((groups) => groups.every((group, offset) => words[index + offset] === group))
    const { group, said, length } = identifier === undefined ? conceptAt(words, index, small) : asOne(identifier)
    const key = group?.[0] ?? ''
    if (group !== null && !concepts.has(key)) concepts.set(key, { forms: [said, ...group.filter((form) => form !== said)] })
    index += length
  }
  return [...concepts.values()]
}

interface Reading {
  readonly group: readonly string[] | null
  readonly said: string
  readonly length: number
}

function asOne(groups: readonly string[]): Reading {
  const said = groups.join(' ')
  return { group: [said], said, length: groups.length }
}

function conceptAt(words: readonly string[], index: number, small: ReadonlySet<string>): Reading {
  const said = words[index] ?? ''
  for (let length = Math.min(longestFrom.get(said) ?? 0, words.length - index); length > 0; length -= 1) {
    const form = length === 1 ? said : words.slice(index, index + length).join(' ')
    const group = groupOf.get(form)
    if (group !== undefined) return { group, said: form, length }
  }
  // A bare number says how many, not what.
  const isNoise = stopWords.has(said) || small.has(said) || said.length > 40 || said.length === 1 || /^\p{N}+$/u.test(said)
  return { group: isNoise ? null : [said], said, length: 1 }
}

/** A word group as an FTS5 phrase: quoted, so that nothing in it is an operator. */
export function ftsPhrase(form: string): string {
  return `"${form.replaceAll('"', '')}"`
}
