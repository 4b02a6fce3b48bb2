// A page's requests, held by CDP's Fetch domain: navigations are asked about, webRequest's listeners get their say.
import type { CdpSession, Events } from './cdp.ts'
import type { MainFrame } from './frame.ts'
import type { Origins } from './origins.ts'
import type { RequestListener, RequestStage } from './session.ts'

type Paused = Events['Fetch.requestPaused'][0]

export interface PageRequestsOptions {
  readonly session: CdpSession
  readonly origins: Origins
  readonly webContentsId: number
  readonly frame: MainFrame
  readonly mainFrameId: () => string
  readonly listener: (stage: RequestStage) => RequestListener | undefined
  /** Asks the app whether a page may go to `url` (as the app knows it). */
  readonly mayNavigate: (url: string, kind: 'will-navigate' | 'will-redirect' | 'will-frame-navigate') => boolean
}

export interface PageRequests {
  /** Tells Chromium which requests to hold. To be called again when webRequest's listeners change. */
  apply(): Promise<void>
  /** The next navigation to this URL (as Chromium knows it) is the app's own, not the page's. */
  expect(url: string): void
  onPaused(event: Paused): Promise<void>
}

const withoutFragment = (url: string): string => url.replace(/#.*$/, '')
const ask = (listener: RequestListener, details: Record<string, unknown>): Promise<Record<string, unknown>> =>
  new Promise((resolve) => listener(details, resolve))

const toHeaderList = (headers: object): { name: string; value: string }[] =>
  Object.entries(headers).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: String(one) }))
  )

export function createPageRequests({
  session,
  origins,
  webContentsId,
  frame,
  mainFrameId,
  listener,
  mayNavigate
}: PageRequestsOptions): PageRequests {
  let expected: string | undefined

  const fail = (requestId: string, errorReason: 'Aborted' | 'BlockedByClient'): Promise<void> =>
    session.send('Fetch.failRequest', { requestId, errorReason })

  /** Whether this document may be asked for. */
  function isWanted(event: Paused): boolean {
    if (event.resourceType !== 'Document') return true
    const url = origins.fromChromium(event.request.url)
    if (event.frameId !== mainFrameId()) return mayNavigate(url, 'will-frame-navigate')
    if (event.redirectedRequestId !== undefined) return mayNavigate(url, 'will-redirect')
    if (expected === withoutFragment(event.request.url)) {
      expected = undefined
      return true
    }
    return mayNavigate(url, 'will-navigate')
  }

  const detailsOf = (event: Paused): Record<string, unknown> => ({
    id: Number.parseInt(event.requestId.replaceAll(/\D/g, ''), 10) || 0,
    url: event.request.url,
    method: event.request.method,
    resourceType: event.resourceType.toLowerCase(),
    webContentsId,
    frame,
    referrer: event.request.headers['Referer'] ?? '',
    timestamp: Date.now()
  })

  async function onRequest(event: Paused): Promise<void> {
    const { requestId } = event
    if (!isWanted(event)) return fail(requestId, 'Aborted')
    // webRequest does not see custom schemes.
    if (origins.fromChromium(event.request.url) !== event.request.url) return session.send('Fetch.continueRequest', { requestId })
    const before = listener('onBeforeRequest')
    const answer = before ? await ask(before, detailsOf(event)) : {}
    if (answer['cancel']) return fail(requestId, 'BlockedByClient')
    if (typeof answer['redirectURL'] === 'string') {
      const location = origins.toChromium(answer['redirectURL'])
      return session.send('Fetch.fulfillRequest', { requestId, responseCode: 307, responseHeaders: [{ name: 'location', value: location }] })
    }
    const sending = listener('onBeforeSendHeaders')
    const sent = sending ? await ask(sending, { ...detailsOf(event), requestHeaders: { ...event.request.headers } }) : {}
    if (sent['cancel']) return fail(requestId, 'BlockedByClient')
    const headers = sent['requestHeaders']
    return session.send('Fetch.continueRequest', headers === undefined ? { requestId } : { requestId, headers: toHeaderList(headers as object) })
  }

  async function onResponse(event: Paused): Promise<void> {
    const { requestId, responseStatusCode: statusCode } = event
    const received = listener('onHeadersReceived')
    const isOwn = origins.fromChromium(event.request.url) !== event.request.url
    if (!received || isOwn || statusCode === undefined) return session.send('Fetch.continueResponse', { requestId })
    const responseHeaders: Record<string, string[]> = {}
    for (const { name, value } of event.responseHeaders ?? []) (responseHeaders[name] ??= []).push(value)
    const answer = await ask(received, { ...detailsOf(event), responseHeaders, statusCode, statusLine: `HTTP/1.1 ${statusCode}` })
    if (answer['cancel']) return fail(requestId, 'BlockedByClient')
    const changed = answer['responseHeaders']
    if (changed === undefined) return session.send('Fetch.continueResponse', { requestId })
    return session.send('Fetch.continueResponse', { requestId, responseCode: statusCode, responseHeaders: toHeaderList(changed as object) })
  }

  return {
    apply() {
      const patterns: { urlPattern: string; resourceType?: 'Document'; requestStage: 'Request' | 'Response' }[] = [
        { urlPattern: '*', resourceType: 'Document', requestStage: 'Request' }
      ]
      if (listener('onBeforeRequest') || listener('onBeforeSendHeaders')) patterns.push({ urlPattern: '*', requestStage: 'Request' })
      if (listener('onHeadersReceived')) patterns.push({ urlPattern: '*', requestStage: 'Response' })
      return session.send('Fetch.enable', { patterns })
    },
    expect(url) {
      expected = withoutFragment(url)
    },
    onPaused: (event) => (event.responseStatusCode === undefined && event.responseErrorReason === undefined ? onRequest(event) : onResponse(event))
  }
}
