// Why a port could not be opened, in one sentence with what to do.
import { CopilotError } from '../../shared/errors.ts'

/** `setting`: the name of the environment variable that chooses the port. */
export function portFault(error: unknown, address: string, setting: string): unknown {
  const text = error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.message}` : ''
  if (text.includes('EADDRINUSE')) {
    return new CopilotError(
      'conflict',
      `Port ${address} is in use by another program. Stop it, or set ${setting} to another port (0 takes a free one).`,
      {
        cause: error
      }
    )
  }
  if (/EACCES|EPERM/.test(text)) {
    return new CopilotError('forbidden', `This user may not open port ${address}. Set ${setting} to a port above 1023.`, { cause: error })
  }
  if (/EADDRNOTAVAIL|ENOTFOUND|EAI_|EINVAL|resolution/i.test(text)) {
    return new CopilotError('invalid_request', `The address ${address} is not one of this machine. Check AI_SERVICE_HOST.`, { cause: error })
  }
  return error
}
