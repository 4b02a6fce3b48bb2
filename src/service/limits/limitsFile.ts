// Reads the operator's file of tiers, organisations and budgets.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { limitsFileSchema, type LimitsFile } from './limitsPolicy.ts'

/** Null: no file is named, nothing is told. Throws `invalid_request` with one line that names what is wrong. */
export async function readLimitsFile(path: string | null): Promise<LimitsFile> {
  if (path === null) return limitsFileSchema.parse({})
  try {
    return limitsFileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new CopilotError('invalid_request', `Configuration: AI_LIMITS_FILE ${path} ${problemOf(error)}.`, { cause: error })
  }
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    return `is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'not a limits file'}`
  }
  return error instanceof SyntaxError ? 'is not JSON' : 'can’t be read'
}
