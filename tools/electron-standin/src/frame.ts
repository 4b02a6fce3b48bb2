// `webFrameMain`: the top frame of a page, the only one the stand-in knows.

export interface FrameOwner {
  readonly id: number
  getURL(): string
  getProcessId(): number
  getOSProcessId(): number
  isDestroyed(): boolean
  send(channel: string, ...args: unknown[]): void
  executeJavaScript(code: string, userGesture?: boolean): Promise<unknown>
}

export function createMainFrame(owner: FrameOwner) {
  const frame = {
    get url(): string {
      return owner.getURL()
    },
    get origin(): string {
      if (!URL.canParse(frame.url)) return ''
      const { origin, protocol, host } = new URL(frame.url)
      // For URL a scheme of the app's is opaque; for Electron it is an origin like any other.
      return origin === 'null' ? `${protocol}//${host}` : origin
    },
    get top() {
      return frame
    },
    parent: null,
    frames: [],
    framesInSubtree: [] as unknown[],
    name: '',
    routingId: 1,
    frameTreeNodeId: owner.id,
    detached: false,
    get processId(): number {
      return owner.getProcessId()
    },
    get osProcessId(): number {
      return owner.getOSProcessId()
    },
    isDestroyed: () => owner.isDestroyed(),
    send: (channel: string, ...args: unknown[]) => owner.send(channel, ...args),
    executeJavaScript: (code: string, userGesture?: boolean) => owner.executeJavaScript(code, userGesture)
  }
  frame.framesInSubtree.push(frame)
  return frame
}

export type MainFrame = ReturnType<typeof createMainFrame>
