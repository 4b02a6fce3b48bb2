// `Notification`: recorded when shown; tests emit its clicks.
import { EventEmitter } from 'node:events'
import type { NotificationConstructorOptions } from 'electron'
import { hooks } from './hooks.ts'
import { electronEvent, needReady } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'

export class Notification extends EventEmitter {
  title: string
  subtitle: string
  body: string
  silent: boolean
  hasReply: boolean
  urgency: string
  timeoutType: string
  actions: unknown[]

  static isSupported(): boolean {
    return true
  }

  constructor(options: NotificationConstructorOptions = {}) {
    needReady('Cannot create Notification before app is ready')
    super()
    this.title = options.title ?? ''
    this.subtitle = options.subtitle ?? ''
    this.body = options.body ?? ''
    this.silent = options.silent ?? false
    this.hasReply = options.hasReply ?? false
    this.urgency = options.urgency ?? 'normal'
    this.timeoutType = options.timeoutType ?? 'default'
    this.actions = options.actions ?? []
    watchListeners(this, 'Notification', ['show', 'close', 'click', 'action', 'reply', 'failed'])
  }

  show(): void {
    hooks.notifications.push(this as unknown as (typeof hooks.notifications)[number])
    queueMicrotask(() => this.emit('show', electronEvent()))
  }

  close(): void {
    this.emit('close', electronEvent())
  }
}
strictInstances(Notification, 'Notification')
