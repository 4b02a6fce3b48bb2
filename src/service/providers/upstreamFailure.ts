// What an upstream's refusal means, from its HTTP status and the names in its body. Its words are never passed on: they can
// hold a key or what a person wrote. Pure.
import { ProviderFailure, type FailureKind } from './failure.ts'
import { fieldsOf, listOf, parseJson, textOf } from './json.ts'

/** How people set this provider up: the names of settings that a message points to. */
export interface Setup {
  /** "OpenAI", "The model server at …". */
  readonly name: string
  readonly keySetting: string
  readonly modelSetting: string
  readonly urlSetting: string
}

export interface Refusal {
  /** 0: reported inside a stream. */
  readonly status: number
  readonly body: unknown
  /** Lower case. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}

const LONGEST_WAIT_MS = 3_600_000

/** Names of errors as makers write them, most telling first. */
const names: readonly (readonly [RegExp, FailureKind])[] = [
  [/context_length_exceeded|request_too_large|string_above_max_length/, 'context_too_large'],
  [
    /api_key_invalid|invalid_api_key|authentication|permission|unauthenticated|unrecognizedclient|invalidsignature|expiredtoken|accessdenied/,
    'unauthenticated'
  ],
  [/content_policy|content_filter|responsibleai|safety/, 'refused'],
  [/insufficient_quota|billing|credit/, 'unavailable'],
  [/rate_limit|resource_exhausted|throttling|toomanyrequests|quota/, 'rate_limited'],
  [/overloaded|serviceunavailable|modelnotready|slow_down|^unavailable$/, 'overloaded'],
  [/deadline_exceeded|modeltimeout|timeout/, 'timeout'],
  [/not_found|resourcenotfound/, 'unavailable'],
  [/invalid_request|invalid_argument|validationexception|failed_precondition/, 'invalid']
]
/** Makers that have no name for it say it in words. */
const tooLong =
  /prompt is too long|too many (?:input )?tokens|maximum (?:context|number of) (?:length|tokens)|exceeds? the (?:maximum|context)|input is too long|context window/i

export function refusal({ status, body, headers = {} }: Refusal, setup: Setup): ProviderFailure {
  const { words, said, retryMs } = read(body, headers)
  const kind = kindOf(status, words, said)
  const { name } = setup
  const http = status === 0 ? '' : ` (HTTP ${status})`
  const wait = retryMs === null ? {} : { retryAfterMs: Math.round(Math.min(retryMs, LONGEST_WAIT_MS)) }
  switch (kind) {
    case 'unauthenticated':
      return new ProviderFailure(kind, `${name} refused the key${http}. Check ${setup.keySetting}.`)
    case 'rate_limited':
      return new ProviderFailure(kind, `${name} asks to wait${http}.`, wait)
    case 'overloaded':
      return new ProviderFailure(kind, `${name} is overloaded${http}.`, wait)
    case 'context_too_large':
      return new ProviderFailure(
        kind,
        `The question with its context is too long for ${name}${http}. Shorten it, or ask in parts; what you wrote is kept.`
      )
    case 'refused':
      return new ProviderFailure(kind, `${name} refused this question by its content rules${http}. Put it in other words.`)
    case 'invalid':
      return new ProviderFailure(kind, `${name} did not accept the request${http}.`)
    case 'timeout':
      return new ProviderFailure(kind, `${name} took too long${http}.`, wait)
    case 'cut':
    case 'unavailable':
      return new ProviderFailure(kind, unavailable(status, words, setup), wait)
  }
}

function unavailable(status: number, words: string, { name, modelSetting, urlSetting }: Setup): string {
  if (status === 404 || /not_?found/.test(words)) {
    return `${name} does not know the model or the address (HTTP ${status}). Check ${modelSetting} and ${urlSetting}.`
  }
  if (/insufficient_quota|billing|credit/.test(words)) return `The account at ${name} has no credit left.`
  return status === 0 ? `${name} reported a failure in its answer.` : `${name} failed (HTTP ${status}).`
}

function kindOf(status: number, words: string, said: string): FailureKind {
  if (status === 401 || status === 403) return 'unauthenticated'
  if (status === 413) return 'context_too_large'
  if (status === 404 || (status >= 300 && status < 400)) return 'unavailable'
  if ((status === 400 || status === 0) && tooLong.test(said)) return 'context_too_large'
  const named = names.find(([pattern]) => pattern.test(words))?.[1]
  // A name says more than a number, but a server's own trouble is never the question's.
  if (named !== undefined && !(status >= 500 && named === 'invalid')) return named
  if (status === 429) return 'rate_limited'
  if (status === 529 || status === 503) return 'overloaded'
  if (status === 408 || status === 504) return 'timeout'
  return status >= 400 && status < 500 ? 'invalid' : 'unavailable'
}

/** `words`: every name of the error, in lower case; `said`: its sentence, only to be matched. */
function read(raw: unknown, headers: NonNullable<Refusal['headers']>): { words: string; said: string; retryMs: number | null } {
  const body = fieldsOf(Array.isArray(raw) ? raw[0] : raw) ?? {}
  const error = fieldsOf(body['error']) ?? body
  const details = listOf(error['details']).map((detail) => fieldsOf(detail) ?? {})
  const words = [
    error['code'],
    error['type'],
    error['status'],
    body['__type'],
    one(headers['x-amzn-errortype']),
    ...details.map(({ reason }) => reason)
  ]
    .map((word) => textOf(word).toLowerCase())
    .join(' ')
    .trim()
  const delay = details.map(({ retryDelay }) => /^(\d+(?:\.\d+)?)s$/.exec(textOf(retryDelay))?.[1]).find((found) => found !== undefined)
  const said = textOf(error['message'] ?? body['message']).slice(0, 2_000)
  return { words, said, retryMs: waitOf(headers) ?? (delay === undefined ? null : Number(delay) * 1_000) }
}

/** Ms; null: not said. Both forms of `retry-after`, and the finer one that OpenAI and Azure send. */
function waitOf(headers: NonNullable<Refusal['headers']>): number | null {
  const ms = Number(one(headers['retry-after-ms']) ?? Number.NaN)
  if (ms >= 0) return ms
  const text = one(headers['retry-after'])
  if (text === undefined) return null
  const seconds = Number(text)
  if (seconds >= 0) return seconds * 1_000
  const date = Date.parse(text)
  const now = Date.parse(one(headers['date']) ?? '')
  return Number.isNaN(date) || Number.isNaN(now) ? null : Math.max(0, date - now)
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** The body of a refusal, as far as it says anything. */
export function refusalBody(text: string): unknown {
  return parseJson(text) ?? {}
}
