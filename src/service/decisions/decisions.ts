// What the agent may decide (message models) and what it has decided (past decisions): two ports over one store, with keys that fit
// DynamoDB: decisionCode + version, and id + businessId.
import { z } from 'zod'
import { actionTypes, decisionTypes, priorities, retryPolicySchema } from './contract.ts'

const name = z.string().min(1).max(200)

/** An action that a model's decision brings with it. Its target is fixed here, by who made the model; nothing read later can change it. */
export const actionPlanSchema = z.object({
  type: z.enum(actionTypes),
  target: z.string().min(1).max(2_000),
  /** Names of the parameters that go into the payload. */
  payload: z.array(name).max(50),
  priority: z.enum(priorities).default('normal'),
  /** How long after the decision, ms. */
  delayMs: z.number().int().min(0).max(366 * 86_400_000).default(0),
  retryPolicy: retryPolicySchema.optional()
}) // prettier-ignore
export type ActionPlan = z.infer<typeof actionPlanSchema>

export const messageModelSchema = z.object({
  decisionCode: name,
  /** Counts from 1. A version is never changed: the next one takes its place. */
  version: z.number().int().min(1).max(1_000_000),
  /** Null: every business's. */
  businessId: name.nullable(),
  /** What it is for, in a sentence; a language model chooses by it. */
  description: z.string().min(1).max(1_000),
  /** Types of inputs it is for. */
  inputTypes: z.array(name).min(1).max(50),
  decisionType: z.enum(decisionTypes),
  /** Text with `{parameter}` in it; empty: nothing is said. */
  template: z.string().max(8_000),
  /** Names that must be in the input's data. */
  parameters: z.array(name).max(50),
  actions: z.array(actionPlanSchema).max(20),
  /** Whether a person always looks first. */
  alwaysReview: z.boolean().default(false)
})
export type MessageModel = z.infer<typeof messageModelSchema>

export interface KeptModel extends MessageModel {
  readonly usageCount: number
  /** Unix ms. */
  readonly lastUsed: number | null
}

export const pastDecisionSchema = z.object({
  id: z.string(),
  businessId: z.string(),
  inputId: z.string(),
  userId: z.string().optional(),
  inputType: z.string(),
  decisionCode: z.string(),
  decisionType: z.enum(decisionTypes),
  confidence: z.number(),
  /** How it ended: `held` waits for a person. */
  outcome: z.enum(['settled', 'held', 'approved', 'rejected']),
  /** What it was about; searched for similar ones. */
  summary: z.string().max(4_000),
  /** Unix ms. */
  decidedAt: z.number()
})
export type PastDecision = z.infer<typeof pastDecisionSchema>

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store can't be reached. */
export interface MessageModels {
  /** The same twice is once. Throws `conflict` when this version says something else already. */
  put(model: MessageModel): Promise<void>
  get(decisionCode: string, version: number): Promise<KeptModel | null>
  /** The latest version of each code that is for this type of input in this business, by code. */
  fitting(inputType: string, businessId: string): Promise<readonly KeptModel[]>
  /** Latest versions of all codes, by code. */
  list(): Promise<readonly KeptModel[]>
  /** Counts a use. */
  used(decisionCode: string, version: number, now: number): Promise<void>
}

export interface Decisions {
  /** Put again with the same key, it takes the place of what was there. */
  put(decision: PastDecision): Promise<void>
  get(key: Pick<PastDecision, 'id' | 'businessId'>): Promise<PastDecision | null>
  /** Past decisions of the business about something like `text`: those that share a word with it, most alike first. */
  similar(wanted: { readonly businessId: string; readonly text: string; readonly limit: number }): Promise<readonly PastDecision[]>
  /** What was decided for this person, oldest first. */
  of(userId: string): Promise<readonly PastDecision[]>
  /** Removes what was decided for this person. Resolves with how many they were. */
  erase(userId: string): Promise<number>
  /** Removes what was decided before this moment, Unix ms. Resolves with how many they were. */
  forget(before: number): Promise<number>
}
