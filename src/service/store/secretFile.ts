// Secrets in files that only their owner may read, made once however many processes start at the same moment.
import { randomUUID } from 'node:crypto'
import { chmod, link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { faultCode, toStoreFault } from './faults.ts'
import { makeFolder } from './folder.ts'

/**
 * The content of the secret file at `path`, made by `make` on first use (0600, in a 0700 folder). The first of several
 * processes wins and all return its content. Throws `CopilotError` when the folder can't be written.
 */
export async function secretFile(path: string, make: () => Promise<string> | string): Promise<string> {
  try {
    return await readSecret(path)
  } catch (error) {
    if (faultCode(error) !== 'ENOENT') throw toStoreFault(error, path)
  }
  const draft = `${path}.${randomUUID()}`
  try {
    makeFolder(dirname(path))
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(await make())
      await file.sync()
    } finally {
      await file.close()
    }
    // A hard link fails when the name is taken, so a complete file appears under it exactly once.
    await link(draft, path).catch((error: unknown) => {
      if (faultCode(error) !== 'EEXIST') throw error
    })
    return await readSecret(path)
  } catch (error) {
    throw toStoreFault(error, dirname(path))
  } finally {
    await rm(draft, { force: true })
  }
}

async function readSecret(path: string): Promise<string> {
  const content = await readFile(path, 'utf8')
  // Copied or restored files often come back readable for everybody.
  await chmod(path, 0o600)
  return content.trim()
}
