// Modules of `electron` of which the stand-in has next to nothing: what is missing throws and says so.
import { EventEmitter } from 'node:events'
import { unsupported } from './state.ts'
import { strictModule } from './strict.ts'

export const systemPreferences = strictModule(
  'systemPreferences',
  'SystemPreferences',
  Object.assign(new EventEmitter(), {
    getAnimationSettings: () => ({ shouldRenderRichAnimation: true, scrollAnimationsEnabledBySystem: true, prefersReducedMotion: false }),
    getMediaAccessStatus: () => 'granted',
    askForMediaAccess: async () => true,
    isTrustedAccessibilityClient: () => true,
    getAccentColor: () => '0078d4ff'
  })
)

export const autoUpdater = strictModule(
  'autoUpdater',
  'AutoUpdater',
  Object.assign(new EventEmitter(), { setFeedURL(): void {}, getFeedURL: () => '' })
)
export const desktopCapturer = strictModule('desktopCapturer', 'DesktopCapturer', {})

/** Records nothing: a crash of the stand-in is told on stderr. */
export const crashReporter = strictModule('crashReporter', 'CrashReporter', {
  start(): void {},
  getLastCrashReport: () => null,
  getUploadedReports: () => [],
  addExtraParameter(): void {},
  removeExtraParameter(): void {},
  getParameters: () => ({})
})

/** A class that can't be made. */
const missingClass = (name: string): new () => object => new Proxy(Object, { construct: () => unsupported(name) })

export const BaseWindow = missingClass('BaseWindow')
export const BrowserView = missingClass('BrowserView')
export const MessageChannelMain = missingClass('MessageChannelMain')
export const TouchBar = missingClass('TouchBar')
export const View = missingClass('View')
export const WebContentsView = missingClass('WebContentsView')

/** A module of which nothing is there. */
const missingModule = (name: string): object =>
  new Proxy({}, { get: (_target, member) => (typeof member === 'string' && member !== 'then' ? unsupported(`${name}.${member}`) : undefined) })

export const contentTracing = missingModule('contentTracing')
export const inAppPurchase = missingModule('inAppPurchase')
export const netLog = missingModule('netLog')
export const pushNotifications = missingModule('pushNotifications')
