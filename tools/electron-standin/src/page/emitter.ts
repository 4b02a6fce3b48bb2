// The part of Node's EventEmitter that a sandboxed preload has.

export type Listener = ((...args: unknown[]) => void) & { listener?: unknown }

export class PageEmitter {
  readonly #listeners = new Map<string, Listener[]>()

  on(name: string, listener: Listener): this {
    if (typeof listener !== 'function') throw new TypeError('The "listener" argument must be of type function')
    this.#listeners.set(name, [...this.listeners(name), listener])
    return this
  }

  once(name: string, listener: Listener): this {
    const once: Listener = (...args) => {
      this.off(name, once)
      listener.apply(this, args)
    }
    once.listener = listener
    return this.on(name, once)
  }

  off(name: string, listener: Listener): this {
    this.#listeners.set(
      name,
      this.listeners(name).filter((known) => known !== listener && known.listener !== listener)
    )
    return this
  }

  addListener(name: string, listener: Listener): this {
    return this.on(name, listener)
  }

  removeListener(name: string, listener: Listener): this {
    return this.off(name, listener)
  }

  removeAllListeners(name?: string): this {
    if (name === undefined) this.#listeners.clear()
    else this.#listeners.delete(name)
    return this
  }

  emit(name: string, ...args: unknown[]): boolean {
    const listeners = this.listeners(name)
    for (const listener of listeners) listener.apply(this, args)
    return listeners.length > 0
  }

  listeners(name: string): Listener[] {
    return [...(this.#listeners.get(name) ?? [])]
  }

  listenerCount(name: string): number {
    return this.listeners(name).length
  }

  eventNames(): string[] {
    return [...this.#listeners.keys()]
  }

  setMaxListeners(): this {
    return this
  }
}
