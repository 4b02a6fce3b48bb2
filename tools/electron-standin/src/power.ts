// `powerMonitor` and `powerSaveBlocker`: nothing sleeps here, tests send the events.
import type { PowerSaveBlocker } from 'electron'
import { EventEmitter } from 'node:events'
import { hooks } from './hooks.ts'
import { conversionFailure } from './state.ts'
import { strictModule, watchListeners } from './strict.ts'

const EVENTS = [
  'suspend',
  'resume',
  'on-ac',
  'on-battery',
  'shutdown',
  'lock-screen',
  'unlock-screen',
  'user-did-become-active',
  'user-did-resign-active',
  'thermal-state-change',
  'speed-limit-change'
]

class PowerMonitor extends EventEmitter {
  getSystemIdleTime(): number {
    return hooks.idleSeconds
  }

  getSystemIdleState(thresholdSeconds: number): 'active' | 'idle' {
    return hooks.idleSeconds >= thresholdSeconds ? 'idle' : 'active'
  }

  isOnBatteryPower(): boolean {
    return hooks.onBattery
  }

  get onBatteryPower(): boolean {
    return hooks.onBattery
  }

  getCurrentThermalState(): string {
    return 'unknown'
  }
}

const monitor = new PowerMonitor()
watchListeners(monitor, 'PowerMonitor', EVENTS)
hooks.power = (event) => void monitor.emit(event)
export const powerMonitor = strictModule('powerMonitor', 'PowerMonitor', monitor)

const BLOCKER_TYPES = new Set(['prevent-app-suspension', 'prevent-display-sleep'])
const blockers = new Set<number>()
let lastBlocker = 0

export const powerSaveBlocker = strictModule('powerSaveBlocker', 'PowerSaveBlocker', {
  start(type: string): number {
    if (!BLOCKER_TYPES.has(type)) throw conversionFailure(type)
    lastBlocker += 1
    blockers.add(lastBlocker)
    return lastBlocker
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id)
} satisfies Partial<PowerSaveBlocker>)
