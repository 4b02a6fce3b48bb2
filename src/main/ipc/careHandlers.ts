// The bridge's calls that take care of the history: status, passphrase, backup, retention, purge, drafts.
import { CopilotError } from '../../shared/errors.ts'
import type { BridgeHandlers } from './router.ts'

export type CareHandlers = Pick<BridgeHandlers, Extract<keyof BridgeHandlers, `history.${string}` | 'drafts.keep'>>

export function createCareHandlers(): CareHandlers {
  const unready = (): never => {
    throw new CopilotError('unavailable', 'This part is still being built.')
  }
  return {
    'drafts.keep': unready,
    'history.status': unready,
    'history.unlock': unready,
    'history.setPassphrase': unready,
    'history.rekey': unready,
    'history.backup': unready,
    'history.restore': unready,
    'history.setRetention': unready,
    'history.purgePreview': unready,
    'history.purge': unready
  }
}
