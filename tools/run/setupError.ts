// Something that a person can do something about, told in its message. Every launcher prints it bare; any other error is a bug.

export class SetupError extends Error {
  override readonly name = 'SetupError'
}

/** Runs a launcher: its number becomes the exit code, a SetupError one plain text on stderr and exit code 1. */
export async function runLauncher(launch: () => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await launch()) ?? 0
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
