// What is particular to one maker's HTTP protocol: what to send, and how to read what comes. Codecs are pure; the calls,
// timeouts and failures around them are in `answers.undici.ts`.
import type { FinishReason } from '../../shared/turn.ts'
import type { ModelFacts } from './models.ts'
import type { ProviderRequest, ProviderUsage } from './provider.ts'

export interface UpstreamCall {
  readonly method: 'GET' | 'POST'
  /** Below the base address, with a slash at its start. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Takes what an answer is made of, in its order. */
export interface AnswerSink {
  text(text: string): void
  /** A sign of life that is no text: a thought. */
  alive(): void
  usage(usage: ProviderUsage): void
  /** How the answer ended. What follows can only be usage. */
  finish(reason: FinishReason): void
  /** The protocol's own end: nothing follows. */
  end(): void
}

/** One answer being read. */
export interface AnswerReader {
  /** Takes the next event. Throws `ProviderFailure` for a failure that the event reports, `MalformedAnswer` for what is not the protocol. */
  read(data: string, sink: AnswerSink): void
}

export interface Codec {
  request(request: ProviderRequest, model: string, facts: ModelFacts): UpstreamCall
  reader(): AnswerReader
  /** Asks for the models, or anything else that costs no tokens and needs the key. */
  readonly probe: UpstreamCall
  /** Names of the models that can chat, from the answer to `probe`, in the maker's order. */
  models(body: unknown): readonly string[]
  /** HTTP statuses beside 200 with which `probe` shows that the key and the way are good. */
  readonly probeAlso?: number
}

/** The upstream sent something that is not its protocol. */
export class MalformedAnswer extends Error {}
