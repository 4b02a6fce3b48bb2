// The look of an exported page: the design language of docs/design.md, on paper too. The colours are those of the windows'
// tokens.css; stylesheet.test.ts compares them.
import { createHash } from 'node:crypto'

const light = {
  paper: 'oklch(0.988 0.004 85)',
  'paper-sunk': 'oklch(0.962 0.006 85)',
  line: 'oklch(0.895 0.008 85)',
  ink: 'oklch(0.245 0.018 235)',
  'ink-2': 'oklch(0.415 0.016 235)',
  'ink-3': 'oklch(0.495 0.014 235)',
  accent: 'oklch(0.465 0.082 218)',
  failed: 'oklch(0.505 0.165 27)'
}
const dark: typeof light = {
  paper: 'oklch(0.212 0.014 235)',
  'paper-sunk': 'oklch(0.178 0.013 237)',
  line: 'oklch(0.315 0.016 234)',
  ink: 'oklch(0.935 0.01 85)',
  'ink-2': 'oklch(0.795 0.012 90)',
  'ink-3': 'oklch(0.7 0.014 100)',
  accent: 'oklch(0.79 0.088 208)',
  failed: 'oklch(0.755 0.13 25)'
}
export const exportColours = { light, dark }

function properties(colours: typeof light): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ')
}

export const STYLESHEET = `
:root { color-scheme: light; ${properties(light)} }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; ${properties(dark)} } }
* { box-sizing: border-box; }
html { font-size: 15px; background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 60rem; padding: 3.2rem 1.6rem 4.8rem; line-height: 1.58; overflow-wrap: anywhere;
  font-family: 'Atkinson Hyperlegible Next', system-ui, sans-serif; }
section + section { margin-top: 4.8rem; }
h1 { font-size: 2rem; line-height: 1.25; font-weight: 650; margin: 0 0 0.8rem; }
dl.facts { display: grid; grid-template-columns: 8rem 1fr; gap: 0.2rem 1.07rem; margin: 0 0 2.1rem; font-size: 0.87rem; }
dl.facts dt { color: var(--ink-3); }
dl.facts dd { margin: 0; white-space: pre-wrap; }
article { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 1.07rem; padding: 0.8rem 0; }
article > header { font-size: 0.87rem; color: var(--ink-3); text-align: right; padding-right: 1.07rem; border-right: 1px solid var(--line); font-variant-numeric: tabular-nums; }
article > header strong { display: block; font-weight: 560; }
article > div { max-width: 44rem; min-width: 0; }
article.question > header { border-right-color: var(--accent); }
article.question > header strong { color: var(--accent); }
article.question > div { font-weight: 620; white-space: pre-wrap; }
.note { font-size: 0.87rem; color: var(--ink-2); margin: 0 0 0.53rem; }
.state { font-size: 0.87rem; font-weight: 560; color: var(--failed); margin: 0.53rem 0 0; }
article div > :first-child { margin-top: 0; }
article div > :last-child { margin-bottom: 0; }
h2, h3, h4, h5, h6 { font-size: 1.07rem; line-height: 1.25; font-weight: 650; margin: 1.6rem 0 0.53rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code, pre { font-family: 'Atkinson Hyperlegible Mono', ui-monospace, monospace; font-size: 0.87rem; }
pre { background: var(--paper-sunk); border: 1px solid var(--line); border-radius: 9px; padding: 0.8rem; white-space: pre-wrap; }
:not(pre) > code { background: var(--paper-sunk); border-radius: 3px; padding: 0.07rem 0.27rem; }
blockquote { margin: 1.07rem 0; padding-left: 1.07rem; border-left: 2px solid var(--line); color: var(--ink-2); }
table { border-collapse: collapse; font-size: 0.93rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.27rem 1.07rem 0.27rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 560; color: var(--ink-2); }
hr { border: 0; border-top: 1px solid var(--line); }
ol.sources { font-size: 0.87rem; color: var(--ink-2); border-top: 1px solid var(--line); padding: 0.53rem 0 0 1.6rem; margin-top: 1.07rem; }
@media (max-width: 640px) {
  article { grid-template-columns: 1fr; gap: 0.27rem; }
  article > header { text-align: left; border-right: 0; padding: 0; }
  article > header strong { display: inline; margin-right: 0.53rem; }
}
@media print {
  :root { color-scheme: light; ${properties(light)} --paper: white; --paper-sunk: white; }
  html { font-size: 10.5pt; }
  body { max-width: none; padding: 0; }
  section { break-before: page; }
  section:first-of-type { break-before: auto; }
  article > header { break-after: avoid; }
  h1, h2, h3, h4, h5, h6 { break-after: avoid; }
  pre, table, blockquote { break-inside: avoid; }
  .sources a::after { content: ' ' attr(href); color: var(--ink-3); }
}
`

/** Nothing is loaded, nothing runs, and this one stylesheet is all that styles. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLESHEET).digest('base64')}'; base-uri 'none'; form-action 'none'`
