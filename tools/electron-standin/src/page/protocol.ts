// What main and page agree on. Types only, so that both sides may import it.

export interface IsolatedConfig {
  /** Name of the CDP binding that carries text to main. */
  readonly binding: string
  /** Name of the global function that main calls with a batch of texts. */
  readonly inbox: string
  readonly preloadPath: string | null
  readonly process: { readonly argv: string[]; readonly cwd: string; readonly systemVersion: string } & Record<string, unknown>
}

/**
 * First letter of what a page says to main. m: `[channel, args]` sent; i: `[channel, id, args]` invoked; p: the Error a preload
 * threw; w: news of the window, t: the document's title, both as bare text.
 */
export type PageSays = 'm' | 'i' | 'p' | 'w' | 't'

/** First letter of what main says to a page. m: `[channel, args]`; r: `[id, value]` of an invoke; e: `[id, message]` of a failed one. */
export type MainSays = 'm' | 'r' | 'e'

/** The window's news. */
export type WindowNews = 'focus' | 'blur' | 'resize' | 'painted'
