// A client of the service's plain WebSockets that keeps what it hears.
import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface Frame {
  readonly type: string
  readonly data?: unknown
  readonly timestamp?: unknown
  readonly [field: string]: unknown
}

export interface FrameClient extends AsyncDisposable {
  readonly frames: readonly Frame[]
  readonly protocol: string
  /** The close code. */
  readonly closed: Promise<number>
  /** Text goes as it is, everything else as JSON. */
  send(frame: unknown): void
  sendBinary(bytes: Buffer): void
  /** The first frame from number `from` on that fits; rejects when the connection ends before. */
  until(fits: (frame: Frame) => boolean, from?: number): Promise<Frame>
  pause(): void
  resume(): void
}

export interface FrameOptions {
  readonly token?: string
  readonly protocols?: readonly string[]
  readonly autoPong?: boolean
}

export async function frameClient(url: string, { token, protocols = [], autoPong = true }: FrameOptions = {}): Promise<FrameClient> {
  const socket = new WebSocket(url, [...protocols], { autoPong, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  const frames: Frame[] = []
  let wake = Promise.withResolvers<void>()
  const stir = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const closed = new Promise<number>((resolve) => void socket.once('close', resolve))
  let isClosed = false
  void closed.then(() => {
    isClosed = true
    stir()
  })
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as Frame)
    stir()
  })
  await once(socket, 'open')
  socket.on('error', stir)
  return {
    frames,
    protocol: socket.protocol,
    closed,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    sendBinary: (bytes) => socket.send(bytes),
    async until(fits, from = 0) {
      for (;;) {
        const found = frames.slice(from).find(fits)
        if (found !== undefined) return found
        if (isClosed) throw new Error(`closed before it came; heard ${JSON.stringify(frames.slice(-3)).slice(-600)}`)
        await wake.promise
      }
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async [Symbol.asyncDispose]() {
      socket.terminate()
      await closed
    }
  }
}
