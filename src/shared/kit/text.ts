// Cleans text that comes from outside: broken Unicode and control characters become harmless, meaning stays.

// C0 and C1 controls but tab and line feed; and the bidirectional overrides that can make text lie about its order.
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
const CONTROLS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g

/** Well-formed Unicode, `\n` line ends, no control characters. Idempotent; keeps everything a person can read. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(CONTROLS, '')
}
