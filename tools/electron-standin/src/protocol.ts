// `protocol`: the app's own schemes, and the handlers that answer for them.
import type { CustomScheme, Protocol } from 'electron'
import { misuse, needReady, state, unsupported, violation } from './state.ts'
import { strictModule } from './strict.ts'

export type SchemeHandler = (request: Request) => Response | Promise<Response>

const handlers = new Map<string, SchemeHandler>()
const BUILT_IN = new Set(['http', 'https', 'file'])

export const schemeHandler = (scheme: string): SchemeHandler | undefined => handlers.get(scheme)

export const protocol = strictModule('protocol', 'Protocol', {
  registerSchemesAsPrivileged(schemes: CustomScheme[]): void {
    if (state.ready) misuse('protocol.registerSchemesAsPrivileged should be called before app is ready')
    if (state.schemes.size > 0) violation('protocol.registerSchemesAsPrivileged may be called only once: the last call wins')
    state.schemes.clear()
    for (const { scheme, privileges = {} } of schemes) state.schemes.set(scheme, privileges)
  },
  handle(scheme: string, handler: SchemeHandler): void {
    needReady('protocol.handle can only be used when app is ready')
    if (handlers.has(scheme)) misuse(`Failed to register protocol: ${scheme}`)
    if (BUILT_IN.has(scheme)) unsupported(`protocol.handle('${scheme}')`)
    const privileges = state.schemes.get(scheme)
    if (!privileges?.standard || !privileges.secure)
      misuse(
        `scheme ${scheme} is not registered as standard and secure: on Electron it would have an opaque origin (no localStorage, no fetch, no ES modules)`
      )
    if (!privileges.supportFetchAPI) violation(`scheme ${scheme} lacks supportFetchAPI: fetch() from the page fails on Electron`)
    handlers.set(scheme, handler)
  },
  unhandle(scheme: string): void {
    if (!handlers.delete(scheme)) throw new Error(`Failed to unhandle protocol: ${scheme}`)
  },
  isProtocolHandled: (scheme: string): boolean => handlers.has(scheme)
} satisfies Partial<Protocol>)
