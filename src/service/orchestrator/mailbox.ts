// Events from several sources, read by one reader in the order in which they came.
export interface Mailbox<T> {
  post(message: T): void
  next(): Promise<T>
}

export function createMailbox<T>(): Mailbox<T> {
  const messages: T[] = []
  let waiting: ((message: T) => void) | null = null
  return {
    post(message) {
      if (waiting === null) return void messages.push(message)
      const read = waiting
      waiting = null
      read(message)
    },
    next() {
      const message = messages.shift()
      if (message !== undefined) return Promise.resolve(message)
      return new Promise((resolve) => {
        waiting = resolve
      })
    }
  }
}
