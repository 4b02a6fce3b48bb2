// A utility process of the fixture app: answers with what it got and what it is.

process.parentPort.on('message', ({ data }: { data: unknown }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, not a window
  process.parentPort.postMessage({ data, arguments: process.argv.slice(2), type: process.type })
})
