// Required before every entry script (`node -r ./tools/run/guard.cjs …`): one clear line instead of a syntax error on a Node that
// can't run TypeScript sources. Old syntax on purpose: it must run on what it turns away.
var NEEDED = [22, 18]
var parts = process.versions.node.split('.').map(Number)
if (parts[0] < NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] < NEEDED[1])) {
  console.error(
    'Aside needs Node ' +
      NEEDED.join('.') +
      ' or newer and this is ' +
      process.versions.node +
      '. Run it by npm (npm ci brings a fitting Node along on Linux and Windows), or install Node 24.'
  )
  process.exit(1)
}
