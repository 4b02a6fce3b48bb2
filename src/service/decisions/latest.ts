// Which of many message models hold: the latest version of each code. Pure, for every store alike.
import { isDeepStrictEqual } from 'node:util'
import { CopilotError } from '../../shared/errors.ts'
import { messageModelSchema, type KeptModel, type MessageModel } from './decisions.ts'

/** By code. */
export function latest(models: readonly KeptModel[]): readonly KeptModel[] {
  const best = new Map<string, KeptModel>()
  for (const model of models) if ((best.get(model.decisionCode)?.version ?? 0) < model.version) best.set(model.decisionCode, model)
  return [...best.values()].sort((a, b) => (a.decisionCode < b.decisionCode ? -1 : 1))
}

/** A later version that is for other inputs withdraws the earlier one from these. */
export function fitting(models: readonly KeptModel[], inputType: string, businessId: string): readonly KeptModel[] {
  return latest(models).filter((model) => model.inputTypes.includes(inputType) && (model.businessId === null || model.businessId === businessId))
}

/** Throws `conflict` unless `kept` says the same as `model`. */
export function requireSame(kept: MessageModel, model: MessageModel): void {
  if (isDeepStrictEqual(messageModelSchema.parse(kept), messageModelSchema.parse(model))) return
  throw new CopilotError('conflict', `Version ${model.version} of ${model.decisionCode} exists and says something else. Give it the next number.`)
}

/** The words by which decisions are alike: of three letters or more, each once, at most 64. */
export function wordsOf(text: string): readonly string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]{3,}/gu) ?? []
  return [...new Set(words)].slice(0, 64)
}
