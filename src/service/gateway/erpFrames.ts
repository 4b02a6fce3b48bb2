// The ERP dialect's envelope on plain WebSockets, `GET /ws`: `{ type, data, timestamp }`, both ways.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { erpDialect, fieldsOf, turnIdIn } from './erp.ts'
import type { GatewayParts } from './gateway.ts'
import type { FrameDialect } from './frames.ts'

export function erpFrames(parts: GatewayParts): FrameDialect {
  return {
    path: '/ws',
    meter: parts.meter,
    frame: (type, data) => envelope(type, data, parts.clock),
    open(peer) {
      const handles = erpDialect(peer, parts)
      return async (frame) => {
        const { type, data } = fieldsOf(frame)
        const handle = typeof type === 'string' && Object.hasOwn(handles, type) ? handles[type] : undefined
        if (handle === undefined) {
          throw new CopilotError('invalid_request', `The type of a message must be one of ${Object.keys(handles).join(', ')}.`, {
            details: { field: 'type' }
          })
        }
        try {
          await handle(data ?? {}, null)
        } catch (error) {
          peer.refuse(error, turnIdIn(data))
        }
      }
    }
  }
}

function envelope(type: string, data: object, clock: Clock): object {
  return { type, data, timestamp: clock.now() }
}
