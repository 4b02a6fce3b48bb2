// What goes into the agent and what comes out of it, whatever the source: chat, schedule, webhook or API. The schemas are the law;
// the state graph checks both ends against them.
import { z } from 'zod'

const inputSources = ['chat', 'schedule', 'webhook', 'api'] as const

const id = z.string().min(1).max(512)
/** Unix ms. */
const at = z.number().int().nonnegative()
const data = z.record(z.string().max(128), z.unknown())
export const LONGEST_INPUT_TEXT = 64_000

export const agentInputSchema = z.object({
  /** The same id twice is one input. */
  id,
  source: z.enum(inputSources),
  userId: id.optional(),
  /** Whose business it concerns: the organisation; what is remembered and decided stays within it. */
  businessId: id,
  locationId: id.optional(),
  /** What kind of thing this is, in words of the source: `question`, `invoice.overdue`, `report.weekly`. */
  type: id,
  content: z.object({ text: z.string().max(LONGEST_INPUT_TEXT), data, metadata: data }),
  timestamp: at,
  correlationId: id.optional()
})
export type AgentInput = z.infer<typeof agentInputSchema>

export const actionTypes = ['resource_action', 'notification', 'external_call'] as const
export const priorities = ['low', 'normal', 'high'] as const

export const retryPolicySchema = z.object({
  maxAttempts: z.number().int().min(1).max(50),
  /** Wait before the second attempt, ms; doubles with each one. */
  backoffMs: z.number().int().min(1).max(3_600_000)
})

export const agentActionSchema = z.object({
  /** Also the idempotency key towards the target. */
  id,
  type: z.enum(actionTypes),
  /** An address for `external_call`, a name for the others; must be on the allow-list. */
  target: z.string().min(1).max(2_000),
  payload: data,
  priority: z.enum(priorities),
  /** Unix ms; absent: at once. */
  executeAt: at.optional(),
  retryPolicy: retryPolicySchema.optional()
})
export type AgentAction = z.infer<typeof agentActionSchema>

export const decisionTypes = ['answer', 'message', 'act', 'none'] as const
export const agentResponseSchema = z.object({ type: z.enum(['text', 'message']), text: z.string() })

export const agentOutputSchema = z.object({
  id,
  inputId: id,
  decisionCode: id,
  decisionType: z.enum(decisionTypes),
  /** 0 to 1. */
  confidence: z.number().min(0).max(1),
  /** Why, in one or two sentences; never content of the question. */
  reasoning: z.string().max(2_000),
  actions: z.array(agentActionSchema).max(20),
  responses: z.array(agentResponseSchema).max(20),
  /** Nothing is executed before somebody has approved it. */
  requiresHumanReview: z.boolean(),
  /** Ms. */
  processingTime: z.number().nonnegative(),
  metadata: data.optional()
})
export type AgentOutput = z.infer<typeof agentOutputSchema>
