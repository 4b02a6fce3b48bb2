// The bridge's calls that take the history out and bring one in.
import { CopilotError } from '../../shared/errors.ts'
import type { BridgeHandlers } from './router.ts'

export type TransferHandlers = Pick<BridgeHandlers, 'export.write' | 'import.read' | 'import.confirm' | 'import.discard'>

export function createTransferHandlers(): TransferHandlers {
  const unready = (): never => {
    throw new CopilotError('unavailable', 'This part is still being built.')
  }
  return { 'export.write': unready, 'import.read': unready, 'import.confirm': unready, 'import.discard': unready }
}
