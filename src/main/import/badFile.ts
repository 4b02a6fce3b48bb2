// What a person is told when a file can't be imported.
import { CopilotError } from '../../shared/errors.ts'

/** `why`: one or two sentences: what is wrong with the file, and what helps. */
export function badFile(why: string, cause?: unknown): CopilotError {
  return new CopilotError('invalid_request', `${why} Nothing was imported.`, cause === undefined ? {} : { cause })
}
