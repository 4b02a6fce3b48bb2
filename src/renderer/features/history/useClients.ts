// The clients that sessions were noted for, by name.
import { useMirrorShallow } from '../../state/context.tsx'

export function useClients(): readonly string[] {
  return useMirrorShallow((mirror) =>
    [...new Set(Object.values(mirror.sessions).map((session) => session.clientName))].filter((name) => name !== '').sort((a, b) => a.localeCompare(b))
  )
}
