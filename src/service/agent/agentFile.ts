// Reads the operator's file of what the agent may do beside chatting.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { targetsSchema } from '../actions/targets.ts'

const agentFileSchema = z.strictObject({
  /** Below this confidence a person looks first. */
  reviewBelow: z.number().min(0).max(1).default(0.7),
  /** Where actions may go; nothing that is not here. */
  targets: targetsSchema.prefault({}),
  /** Whose business each webhook's source speaks for. */
  webhooks: z.record(z.string(), z.string().min(1).max(200)).default({})
})
export type AgentFile = z.infer<typeof agentFileSchema>

/** Null: no file is named, no action may go anywhere. Throws `invalid_request` with one line that names what is wrong. */
export async function readAgentFile(path: string | null): Promise<AgentFile> {
  if (path === null) return agentFileSchema.parse({})
  try {
    return agentFileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new CopilotError('invalid_request', `Configuration: AI_AGENT_FILE ${path} ${problemOf(error)}.`, { cause: error })
  }
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    return `is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'not an agent file'}`
  }
  return error instanceof SyntaxError ? 'is not JSON' : 'can’t be read'
}
